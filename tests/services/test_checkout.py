"""Calls of a checkout, and what an idempotency key makes of their repetition."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from adapter.errors import NotFound, WrongMove
from adapter.model.operations import DiscountMove
from adapter.services.discounts import DiscountService
from adapter.services.read_timeout import ReadTimeout

RULES = """
name: gift
trigger: started
action: {type: percentage_off, value: 10, expires_in_hours: 3}
guardrails: {per_user_limit: 1}
"""


class Till(Struct):
    """A checkout with one discount of ann's."""

    checkout: DiscountService
    code: str

    async def status(self, verb: str, key: str | None = None, **given: str) -> str:
        """Return the status after a move, or the code of what was wrong with it."""
        move = DiscountMove(verb, self.code, **given)  # type: ignore[arg-type]
        try:
            return (await self.checkout.move(move, key)).status
        except (WrongMove, NotFound) as error:
            return error.code


@pytest.fixture
async def till(open_desk: Any) -> Till:
    desk = await open_desk(RULES)
    [issued] = (await desk.take(desk.event("started"))).discounts

    class Committing:
        submit = staticmethod(desk.settle)

    books: Any = None  # which only explanations ask
    checkout = DiscountService(desk.store, Committing(), books, lambda: desk.now, ReadTimeout(4))  # type: ignore[arg-type]
    return Till(checkout, issued.code)


async def test_a_call_repeated_under_its_key_is_answered_as_the_first_time(till: Till) -> None:
    assert await till.status("redeem", "k") == "redeemed"
    assert await till.status("redeem", "k") == "redeemed"
    assert await till.status("redeem") == "wrong_move"


async def test_a_repeated_call_does_nothing_again(till: Till) -> None:
    assert await till.status("apply", "k") == "applied"
    assert await till.status("release") == "issued"
    assert await till.status("apply", "k") == "applied"
    assert (await till.checkout.discount(till.code)).status == "issued"


@pytest.mark.parametrize("other", [{"order_id": "O-2"}, {"order_id": "O-1", "source_id": "bob"}])
async def test_a_key_does_not_lend_the_first_answer_to_another_call(
    till: Till, other: dict[str, str]
) -> None:
    assert await till.status("apply", "k", order_id="O-1", source_id="ann") == "applied"
    assert await till.status("apply", "k", **other) == "wrong_move"


async def test_a_call_that_was_refused_is_refused_again_with_the_same_reason(till: Till) -> None:
    assert await till.status("release", "k") == "wrong_move"
    assert await till.status("release", "k") == "wrong_move"


async def test_a_refusal_is_repeated_for_its_key_and_another_key_tries_again(till: Till) -> None:
    assert await till.status("release", "k") == "wrong_move"
    assert await till.status("apply") == "applied"
    assert await till.status("release", "k") == "wrong_move"
    assert await till.status("release", "other") == "issued"
