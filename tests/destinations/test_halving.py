"""A batch of which a part is refused: the rest arrives, and the faulty part alone is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.destinations.contract import Attempt
from adapter.destinations.events.halving import send_in_halves

SOON = timedelta(seconds=60)
OK, REFUSED = Attempt(ok=True, status=200), Attempt(ok=False, status=400, error="answered 400")


class Post:
    """Refuses each batch with an item of `faulty`, and notes what it is sent."""

    def __init__(self, faulty: set[int]) -> None:
        self.faulty = faulty
        self.sent: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> Attempt:
        self.sent.append(list(items))
        return REFUSED if self.faulty.intersection(items) else OK


async def test_the_faulty_item_of_eight_is_found_by_halving() -> None:
    post = Post({4})
    found = await send_in_halves(range(8), post, SOON)
    assert [len(items) for items in post.sent] == [8, 4, 4, 2, 1, 1, 2]
    assert [attempt.ok for attempt in found] == [True] * 4 + [False] + [True] * 3
    assert found[4] == Attempt(ok=False, status=400, error="answered 400", final=True)


@given(st.integers(1, 40), st.data())
def test_one_faulty_item_costs_few_requests_and_no_other_item(count: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, count - 1))
    post = Post({place})
    found = asyncio.run(send_in_halves(range(count), post, SOON))
    assert [attempt.final for attempt in found] == [each == place for each in range(count)]
    assert [attempt.ok for attempt in found] == [each != place for each in range(count)]
    assert len(post.sent) <= 2 * (count - 1).bit_length() + 1


async def test_a_receiver_that_refuses_everything_ends_nothing_but_single_deliveries() -> None:
    post = Post(set(range(64)))
    found = await send_in_halves(range(64), post, SOON)
    assert len(post.sent) == 13
    assert not any(attempt.ok or attempt.final for attempt in found)
    assert all(attempt.error for attempt in found)
    [single] = await send_in_halves([3], post, SOON)
    assert single.final


@pytest.mark.parametrize(
    "answer", [Attempt(ok=False, status=429, counted=False), Attempt(ok=False, status=503)]
)
async def test_after_another_failure_nothing_more_is_sent(answer: Attempt) -> None:
    sent: list[list[int]] = []

    async def post(items: Sequence[int]) -> Attempt:
        sent.append(list(items))
        return REFUSED if len(items) == 4 else OK if 0 in items else answer

    found = await send_in_halves(range(4), post, SOON)
    assert sent == [[0, 1, 2, 3], [0, 1], [2, 3]]
    assert found == [OK, OK, answer, answer]


async def test_all_requests_together_take_no_longer_than_one_attempt_may() -> None:
    async def post(items: Sequence[int]) -> Attempt:
        if len(items) == 1:
            await asyncio.Event().wait()
        return REFUSED

    found = await send_in_halves(range(2), post, timedelta(seconds=0.05))
    assert [attempt.error for attempt in found] == ["no answer within 0.05 s"] * 2


async def test_nothing_is_sent_of_nothing() -> None:
    post = Post(set())
    assert await send_in_halves([], post, SOON) == []
    assert post.sent == []
