"""All that is unused of a rule is taken back, once, however often it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Struct

from adapter.errors import NotFound
from adapter.model.operations import DiscountMove
from adapter.services import revocations
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.services.revocations import Revocations, Revoked, UnusedDiscounts

RULES = """
rules:
  - name: gift
    trigger: started
    action: {type: amount_off, value: 10, currency: EUR}
    guardrails:
      {max_total_redemptions: 6, per_user_limit: 1, budget: {total: 60, currency: EUR}, stackable: true}
  - name: other
    trigger: started
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails: {stackable: true}
  - {name: quiet, trigger: never, action: {type: percentage_off, value: 10, max_amount: 5}}
"""
PEOPLE = [f"u{number}" for number in range(6)]


class Rollout(Struct):
    """Six customers with a discount each of two rules."""

    desk: Any
    revocations: Revocations
    codes: list[str]

    async def statuses(self) -> list[str]:
        held = [await self.desk.store.discount(code) for code in self.codes]
        return [each.discount.status for each in held]

    async def used(self) -> int:
        """Return what the counters of the rule have in sum."""
        held = [await self.desk.store.discount(code) for code in self.codes]
        claims = {(claim.scope, claim.key) for each in held for claim in each.claims}
        assert len(claims) > 2
        return sum((await self.desk.store.used(sorted(claims))).values())


@pytest.fixture
async def rollout(open_desk: Any, monkeypatch: pytest.MonkeyPatch) -> Rollout:
    monkeypatch.setattr(revocations, "PAGE", 5)
    desk = await open_desk(RULES)
    desk.destinations = ("webhook",)
    results = await desk.settle([desk.work(desk.event("started", who)) for who in PEOPLE])
    codes = [each.code for result in results for each in result.discounts if each.metadata["rule"] == "gift"]
    assert len(codes) == len(PEOPLE)
    return Rollout(desk, _revocations(desk, desk.settle), codes)


def _revocations(desk: Any, submit: Any) -> Revocations:
    books: Any = LoadedFiles(None, desk.book)  # type: ignore[arg-type]
    return Revocations(desk.store, submit, books, lambda: desk.now, ReadTimeout(30))


async def _pushed(desk: Any) -> list[str]:
    return [each.type for each in await desk.store.deliveries("due", 1_000)]


async def test_unused_discounts_are_counted_and_stay(rollout: Rollout) -> None:
    await rollout.desk.take(DiscountMove("apply", rollout.codes[0]))
    await rollout.desk.take(DiscountMove("redeem", rollout.codes[1]))
    assert await rollout.revocations.count("gift") == UnusedDiscounts("gift", 4, 1)
    assert await rollout.revocations.count("other") == UnusedDiscounts("other", 6, 0)
    assert (await rollout.statuses()).count("revoked") == 0


async def test_all_that_is_unused_is_revoked_with_its_reason_counters_and_pushes(rollout: Rollout) -> None:
    await rollout.desk.take(DiscountMove("redeem", rollout.codes[1]))
    before = await rollout.used()
    assert await rollout.revocations.revoke("gift", "wrong value") == Revoked("gift", 5, 0)
    assert sorted(await rollout.statuses()) == ["redeemed", *["revoked"] * 5]
    assert await rollout.used() == before / 6
    assert (await _pushed(rollout.desk)).count("discount.revoked") == 5
    held = await rollout.desk.store.discount(rollout.codes[0])
    assert held.reason == "wrong value"
    assert await rollout.revocations.count("other") == UnusedDiscounts("other", 6, 0)


async def test_a_revocation_that_is_repeated_changes_nothing(rollout: Rollout) -> None:
    await rollout.revocations.revoke("gift", None)
    used, pushed = await rollout.used(), await _pushed(rollout.desk)
    assert await rollout.revocations.revoke("gift", None) == Revoked("gift", 0, 0)
    assert (await rollout.used(), await _pushed(rollout.desk)) == (used, pushed) == (0, pushed)


async def test_a_revocation_that_was_killed_is_finished_by_the_next(rollout: Rollout) -> None:
    async def dying(works: Sequence[Work]) -> list[Result]:
        await rollout.desk.settle(works[:1])
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await _revocations(rollout.desk, dying).revoke("gift", None)
    assert (await rollout.statuses()).count("revoked") == 1
    assert await rollout.revocations.revoke("gift", None) == Revoked("gift", 5, 0)
    assert (await rollout.statuses(), await rollout.used()) == (["revoked"] * 6, 0)
    assert (await _pushed(rollout.desk)).count("discount.revoked") == 6


async def test_two_revocations_at_once_give_back_once(rollout: Rollout) -> None:
    await asyncio.gather(*(rollout.revocations.revoke("gift", None) for _ in range(3)))
    assert (await rollout.statuses(), await rollout.used()) == (["revoked"] * 6, 0)
    assert (await _pushed(rollout.desk)).count("discount.revoked") == 6


async def test_a_discount_that_is_used_meanwhile_is_left(rollout: Rollout) -> None:
    async def later(works: Sequence[Work]) -> list[Result]:
        await rollout.desk.take(DiscountMove("redeem", works[0].message_id))
        settled: list[Result] = await rollout.desk.settle(works)
        return settled

    done = await _revocations(rollout.desk, later).revoke("gift", None)
    statuses = await rollout.statuses()
    assert (done.revoked, done.left) == (statuses.count("revoked"), statuses.count("redeemed"))
    assert done.left > 0


async def test_a_bounded_revocation_returns_where_to_continue(rollout: Rollout) -> None:
    first = await rollout.revocations.revoke("gift", None, most=1)
    assert first.next is not None
    rest = await rollout.revocations.revoke("gift", None, first.next)
    assert (rest.next, first.revoked + rest.revoked) == (None, 6)


async def test_a_rule_that_issued_nothing_has_nothing_to_revoke(rollout: Rollout) -> None:
    assert await rollout.revocations.count("quiet") == UnusedDiscounts("quiet", 0, 0)
    assert await rollout.revocations.revoke("quiet", None) == Revoked("quiet", 0, 0)


async def test_a_rule_that_is_known_neither_to_files_nor_to_the_store_is_not_found(rollout: Rollout) -> None:
    with pytest.raises(NotFound):
        await rollout.revocations.count("gifts")
    with pytest.raises(NotFound):
        await rollout.revocations.revoke("gifts", None)
