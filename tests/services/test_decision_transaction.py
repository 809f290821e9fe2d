"""The decision transaction over a real store: which discounts are issued, once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.model.events import Event, User
from adapter.model.operations import (
    CustomerErase,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
)
from adapter.rules.engine import ruleset as rule_book
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.services.transacting import Transacting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = """
rules:
  - name: first
    trigger: checkout_started
    conditions:
      all:
        - cart_value >= 100
        - history.count("order_completed") == 0
    action: {type: percentage_off, value: 15, max_amount: 40, expires_in_hours: 24}
    guardrails: {max_daily_redemptions: 5, per_user_limit: 1}
"""


class Desk:
    """Settles operations over one store and one rule book, at a moment that tests set."""

    def __init__(self, store: Store, folder: Path, rules: str = RULES) -> None:
        (folder / "rules.yaml").write_text(rules)
        book, problems = rule_book.load(folder)
        assert book is not None, [str(problem) for problem in problems]
        self.store, self.book, self.now = store, book, NOW
        self._numbers = itertools.count(1)
        self._transacting = Transacting(store, self._draw, lambda: f"id{next(self._numbers)}")

    async def settle(self, *batch: Work) -> list[Result]:
        transactions = self._transacting.over(self.store, self.now, self.book, ("webhook",))
        return await transactions.settle(batch)

    async def take(self, *operations: Operation, key: str | None = None) -> Result:
        [result] = await self.settle(self.work(*operations, key=key))
        return result

    def work(self, *operations: Operation, key: str | None = None) -> Work:
        key = key or f"m{next(self._numbers)}"
        return Work("segment", key, key, self.now, operations)

    def _draw(self, n: int) -> str:
        return f"{next(self._numbers):0{n}d}"[-n:]


def event(name: str, who: str, id_: str = "", **attributes: Any) -> EventOccurred:
    occurred = Event(id_ or f"evt-{name}-{who}", name, NOW, User(id=who), attributes, {})
    return EventOccurred(who, occurred)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


async def test_an_event_that_earns_a_discount_returns_and_stores_it(desk: Desk) -> None:
    result = await desk.take(event("checkout_started", "u1", cart_value=145.75))
    [issued] = result.discounts
    assert issued.metadata == {
        "rule": "first",
        "issued_for_event_id": "evt-checkout_started-u1",
        "user_id": "u1",
    }
    assert issued.expires_at == NOW + timedelta(hours=24)
    held = await desk.store.discount(issued.code)
    assert held is not None
    assert held.discount == issued
    [delivery] = await desk.store.deliveries("due")
    assert delivery.type == "discount.issued"


async def test_a_repeated_message_is_answered_alike_and_counted_once(desk: Desk) -> None:
    started = event("checkout_started", "u1", cart_value=145.75)
    first = await desk.take(started, key="m1")
    again = await desk.take(started, key="m1")
    assert (again.outcome, again.discounts) == ("duplicate", first.discounts)
    assert len(await desk.store.events("u1")) == 1
    assert len(await desk.store.discounts("u1")) == 1


async def test_a_message_repeated_within_one_batch_counts_once(desk: Desk) -> None:
    work = desk.work(event("checkout_started", "u1", cart_value=145.75))
    first, again = await desk.settle(work, work)
    assert (first.outcome, again.outcome) == ("processed", "duplicate")
    assert again.discounts == first.discounts
    assert len(await desk.store.discounts("u1")) == 1


async def test_a_decision_is_stored_with_its_reasons(desk: Desk) -> None:
    await desk.take(event("checkout_started", "u1", cart_value=96.5))
    [decision] = await desk.store.decisions("u1")
    [outcome] = decision.outcomes
    assert outcome.outcome == "not_met"
    assert "cart_value is 96.5" in outcome.reason


async def test_history_reaches_the_rule(desk: Desk) -> None:
    await desk.take(event("order_completed", "u1"))
    assert (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts == []


async def test_an_anonymous_past_counts_after_signing_in(desk: Desk) -> None:
    await desk.take(
        EventOccurred("anon-1", event("order_completed", "anon-1").event, {"anonymous_id": "anon-1"})
    )
    await desk.take(CustomerUpsert("u1", identities={"anonymous_id": "anon-1"}))
    assert (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts == []
    assert {each.name for each in await desk.store.events("u1")} == {"checkout_started", "order_completed"}


async def test_facts_that_would_overfill_a_customer_are_quarantined_and_the_rest_of_the_batch_is_kept(
    desk: Desk,
) -> None:
    much = {f"trait_{number}": "x" * 1000 for number in range(200)}
    more = {f"other_{number}": "x" * 1000 for number in range(200)}
    await desk.take(CustomerUpsert("u1", traits=much))
    overfull = desk.work(CustomerUpsert("u1", traits=more))
    results = await desk.settle(
        overfull, desk.work(CustomerUpsert("u1", traits=much)), desk.work(event("pong", "u1"))
    )
    assert [result.outcome for result in results] == ["quarantined", "processed", "processed"]
    assert results[0].reason == "the customer's data would exceed 256 KB"
    assert [each.name for each in await desk.store.events("u1")] == ["pong"]
    [kept] = await desk.store.quarantined(0, 10)
    assert kept.reason == results[0].reason


async def test_events_are_processed_when_facts_exceed_their_limit(desk: Desk) -> None:
    much = {f"trait_{number}": "x" * 1000 for number in range(200)}
    more = {f"other_{number}": "x" * 1000 for number in range(200)}
    await desk.take(CustomerUpsert("u1", traits=much))
    result = await desk.take(
        event("checkout_started", "u1", cart_value=145.75), CustomerUpsert("u1", traits=more)
    )
    assert result.outcome == "processed"
    assert result.reason == "facts were left out: the customer's data would exceed 256 KB"
    assert len(result.discounts) == 1
    assert await desk.store.quarantined() == []


async def test_merged_customers_may_exceed_the_limit_and_receive_no_more(desk: Desk) -> None:
    for who in ("u1", "u2"):
        much = {f"{who}_{number}": "x" * 1000 for number in range(200)}
        await desk.take(CustomerUpsert(who, traits=much))
    await desk.take(CustomerMerge("u2", "u1"))
    assert (await desk.take(CustomerUpsert("u2", traits={"u1_1": "y"}))).outcome == "processed"
    assert (await desk.take(CustomerUpsert("u2", traits={"z": "y" * 100}))).outcome == "quarantined"


async def test_the_bound_includes_data_of_a_merge_in_the_same_batch(desk: Desk) -> None:
    for who in ("u1", "u2"):
        much = {f"{who}_{number}": "x" * 1000 for number in range(200)}
        await desk.take(CustomerUpsert(who, traits=much))
    merge, more = desk.work(CustomerMerge("u2", "u1")), desk.work(CustomerUpsert("u2", traits={"z": "y"}))
    assert [result.outcome for result in await desk.settle(merge, more)] == ["processed", "quarantined"]


async def test_a_new_customer_is_bounded_within_a_batch_too(desk: Desk) -> None:
    parts = [{f"{part}_{number}": "x" * 1000 for number in range(200)} for part in range(2)]
    results = await desk.settle(*(desk.work(CustomerUpsert("u1", traits=part)) for part in parts))
    assert [result.outcome for result in results] == ["processed", "quarantined"]


async def test_merged_customers_share_one_limit(desk: Desk) -> None:
    [issued] = (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts
    await desk.take(DiscountMove("redeem", issued.code))
    await desk.take(CustomerMerge("u2", "u1"))
    assert (await desk.take(event("checkout_started", "u2", cart_value=145.75))).discounts == []


async def test_a_merge_and_an_event_in_one_batch_still_share_one_limit(desk: Desk) -> None:
    [issued] = (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts
    await desk.take(DiscountMove("redeem", issued.code))
    results = await desk.settle(
        desk.work(event("checkout_started", "u2", cart_value=145.75)), desk.work(CustomerMerge("u2", "u1"))
    )
    assert [result.discounts for result in results] == [[], []]


async def test_a_revoked_discount_releases_its_counters(desk: Desk) -> None:
    [issued] = (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts
    await desk.take(DiscountMove("revoke", issued.code, reason="abuse"))
    again = (await desk.take(event("checkout_started", "u1", "evt-2", cart_value=145.75))).discounts
    assert len(again) == 1


async def test_an_unknown_coupon_is_reported_and_changes_nothing(desk: Desk) -> None:
    result = await desk.take(event("coupon_applied", "u1"), DiscountMove("apply", "SUMMER5", "u1"))
    assert (result.outcome, result.error) == ("processed", "not_found")
    assert len(await desk.store.events("u1")) == 1


async def test_an_erased_customer_leaves_nothing_not_even_of_the_same_batch(desk: Desk) -> None:
    await desk.take(event("checkout_started", "u1", cart_value=145.75))
    await desk.settle(desk.work(event("order_completed", "u1")), desk.work(CustomerErase("u1")))
    assert await desk.store.customer("u1") is None
    assert await desk.store.events("u1") == []
    assert await desk.store.discounts("u1") == []


async def test_the_daily_limit_applies_and_restarts_the_next_day(desk: Desk) -> None:
    batch = [desk.work(event("checkout_started", f"u{n}", cart_value=145.75)) for n in range(12)]
    results = await desk.settle(*batch)
    assert sum(len(result.discounts) for result in results) == 5
    desk.now += timedelta(days=1)
    tomorrow = await desk.take(event("checkout_started", "u11", "evt-2", cart_value=145.75))
    assert len(tomorrow.discounts) == 1


@pytest.mark.parametrize("senders", [32])
async def test_concurrent_senders_get_exactly_the_cap(desk: Desk, senders: int) -> None:
    async def send(sender: int) -> int:
        results: Sequence[Result] = [
            await desk.take(event("checkout_started", f"u{sender}-{n}", cart_value=145.75)) for n in range(4)
        ]
        return sum(len(result.discounts) for result in results)

    given = await asyncio.gather(*(send(sender) for sender in range(senders)))
    assert sum(given) == 5


async def test_signing_in_later_in_the_batch_still_shares_one_limit(desk: Desk) -> None:
    [issued] = (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts
    await desk.take(DiscountMove("redeem", issued.code))
    happened = event("checkout_started", "anon-1", cart_value=145.75).event
    started = EventOccurred("anon-1", happened, {"anonymous_id": "anon-1"})
    results = await desk.settle(
        desk.work(started), desk.work(CustomerUpsert("u1", identities={"anonymous_id": "anon-1"}))
    )
    assert [result.discounts for result in results] == [[], []]
    assert len(await desk.store.decisions("u1")) == 2


@pytest.mark.parametrize("first", ["move", "erase"])
@pytest.mark.parametrize("merged", [True, False])
async def test_a_discount_of_a_customer_erased_in_the_batch_does_not_come_back(
    desk: Desk, first: str, merged: bool
) -> None:
    [issued] = (await desk.take(event("checkout_started", "u1", cart_value=145.75))).discounts
    merging = [desk.work(CustomerMerge("u2", "u1"))] if merged else []
    works = [desk.work(DiscountMove("revoke", issued.code)), desk.work(CustomerErase("u1"))]
    results = await desk.settle(*merging, *(works if first == "move" else reversed(works)))
    assert {result.error for result in results} == {None, "not_found"}
    assert await desk.store.discount(issued.code) is None
    again = await desk.take(event("checkout_started", "u1", cart_value=145.75))
    assert len(again.discounts) == 1
