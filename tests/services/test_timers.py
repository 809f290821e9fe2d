"""Absence: due once, whatever comes late, together, from two processes, or not at all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert, EventOccurred
from adapter.model.quarantine import Quarantined
from adapter.services.background.timers import Pacing, Timers
from adapter.services.ingest.result import CommitResult, Result
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.ingest.work_item import Work

RULES = """
rules:
  - name: cart-recovery
    trigger: {event: checkout_started, unless: order_completed, within: 30m}
    conditions: [cart_value >= 60]
    action: {type: amount_off, value: 10}
"""


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


def issued(results: Any) -> int:
    return sum(len(result.discounts) for result in results)


async def test_a_timer_fires_once_when_its_time_has_come(desk: Any) -> None:
    assert (await desk.take(desk.event("checkout_started", cart_value=80))).discounts == []
    desk.now = desk.at(29)
    assert await desk.fire() == []
    desk.now = desk.at(30)
    [timer] = await desk.store.due_timers(desk.now, 9)
    [result] = await desk.fire()
    [discount] = result.discounts
    assert discount.metadata["issued_for_event_id"] == "checkout_started@0"
    assert await desk.fire() == []
    assert issued(await desk.settle([desk.due(timer), desk.due(timer)])) == 0
    [decision] = await desk.store.decisions("ann")
    assert [outcome.outcome for outcome in decision.outcomes] == ["issued"]


async def test_a_false_condition_is_reported_and_nothing_is_issued(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", cart_value=20))
    desk.now = desk.at(30)
    assert issued(await desk.fire()) == 0
    [decision] = await desk.store.decisions("ann")
    assert "cart_value is 20" in decision.outcomes[0].reason
    assert await desk.fire() == []


@pytest.mark.parametrize("minutes", [0, 10, 30, 45])
async def test_the_awaited_event_ends_the_wait_even_while_the_timer_is_due(desk: Any, minutes: int) -> None:
    await desk.take(desk.event("checkout_started", cart_value=80))
    desk.now = desk.at(60)
    results = await desk.settle(
        [
            *(desk.due(timer) for timer in await desk.store.due_timers(desk.now, 9)),
            desk.work(desk.event("order_completed", minutes=minutes)),
        ]
    )
    assert issued(results) == 0
    assert await desk.fire() == []


@pytest.mark.parametrize("together", [True, False])
async def test_an_earlier_awaited_event_starts_no_timer(desk: Any, together: bool) -> None:
    works = [
        desk.work(desk.event("order_completed", minutes=5)),
        desk.work(desk.event("checkout_started", cart_value=80)),
    ]
    for batch in [works] if together else [[work] for work in works]:
        await desk.settle(batch)
    desk.now = desk.at(60)
    assert await desk.store.due_timers(desk.now, 9) == []


async def test_the_awaited_event_in_the_same_batch_ends_the_wait(desk: Any) -> None:
    await desk.settle(
        [
            desk.work(desk.event("checkout_started", cart_value=80)),
            desk.work(desk.event("order_completed", minutes=5)),
        ]
    )
    assert await desk.store.due_timers(desk.at(60), 9) == []


async def test_a_later_start_takes_the_place_of_the_first(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", cart_value=80))
    [first] = await desk.store.due_timers(desk.at(30), 9)
    desk.now = desk.at(20)
    await desk.take(desk.event("checkout_started", minutes=20, cart_value=80))
    desk.now = desk.at(30)
    assert issued(await desk.settle([desk.due(first)])) == 0
    desk.now = desk.at(50)
    assert issued(await desk.fire()) == 1


async def test_replayed_history_starts_no_timer_but_cancels_one(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", "bob", cart_value=80), unrewarded="a test")
    await desk.take(desk.event("checkout_started", cart_value=80))
    assert [timer.source_id for timer in await desk.store.due_timers(desk.at(60), 9)] == ["ann"]
    await desk.take(desk.event("order_completed", minutes=1), unrewarded="a test")
    assert await desk.store.due_timers(desk.at(60), 9) == []


async def test_a_customer_identified_meanwhile_receives_the_discount_under_their_id(desk: Any) -> None:
    happened = desk.event("checkout_started", "anon-1", cart_value=80).event
    await desk.take(EventOccurred("anon-1", happened, {"anonymous_id": "anon-1"}))
    [stale] = await desk.store.due_timers(desk.at(30), 9)
    await desk.take(CustomerUpsert("ann", identities={"anonymous_id": "anon-1"}))
    desk.now = desk.at(30)
    results = await desk.settle([desk.due(stale), desk.due(stale)])
    assert issued(results) == 1
    [held] = await desk.store.discounts("ann")
    assert held.source_id == "ann"
    assert await desk.fire() == []


async def test_of_two_customers_merged_in_a_batch_the_later_timer_stays(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", "a", cart_value=80))
    [first] = await desk.store.due_timers(desk.at(30), 9)
    desk.now = desk.at(30)
    results = await desk.settle(
        [
            desk.due(first),
            desk.work(desk.event("checkout_started", "b", minutes=20, cart_value=80)),
            desk.work(CustomerMerge("b", "a")),
        ]
    )
    assert issued(results) == 0
    [timer] = await desk.store.due_timers(desk.at(60), 9)
    assert (timer.source_id, timer.due_at) == ("b", desk.at(50))
    desk.now = desk.at(50)
    assert issued(await desk.fire()) == 1


async def test_timers_of_an_erased_customer_are_deleted_and_do_not_restore_the_customer(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", cart_value=80))
    [stale] = await desk.store.due_timers(desk.at(30), 9)
    await desk.settle([desk.work(CustomerErase("ann")), desk.due(stale)])
    assert await desk.store.customer("ann") is None
    await desk.settle([desk.due(stale)])
    assert await desk.store.customer("ann") is None


async def test_a_full_store_refuses_new_timers_with_the_reason(desk: Any) -> None:
    desk.room = 1
    await desk.settle(
        [desk.work(desk.event("checkout_started", who, cart_value=80)) for who in ("a", "b", "c")]
    )
    assert (desk.last.armed, desk.last.unarmed) == (1, {"cart-recovery": 2})
    assert len(await desk.store.due_timers(desk.at(60), 9)) == 1
    desk.room = 0
    await desk.take(desk.event("checkout_started", "a", minutes=5, cart_value=80))
    assert await desk.store.due_timers(desk.at(60), 9) == []


async def test_a_timer_that_cannot_be_decided_is_ended_and_quarantined(desk: Any) -> None:
    await desk.take(desk.event("checkout_started", cart_value=80))
    desk.now = desk.at(30)
    [timer] = await desk.store.due_timers(desk.now, 9)
    broken = replace(
        desk.due(timer), quarantine=Quarantined("timer", "", Raw(b"{}"), "internal error", desk.now)
    )
    assert issued(await desk.settle([broken])) == 0
    assert await desk.fire() == []
    assert len(await desk.store.quarantined()) == 1


async def test_two_processes_fire_it_once(open_desk: Any, store_url: str) -> None:
    desk = await open_desk(RULES)
    if store_url.startswith("sqlite"):
        pytest.skip("SQLite has one process")
    other = await open_desk(RULES)
    people = [f"u{number}" for number in range(20)]
    await desk.settle([desk.work(desk.event("checkout_started", who, cart_value=80)) for who in people])
    desk.now = other.now = desk.at(30)
    given = await asyncio.gather(*(each.fire() for each in (desk, other, desk, other)))
    assert sum(map(issued, given)) == len(people)
    for who in people:
        assert len(await desk.store.discounts(who)) == 1


async def test_timers_that_came_due_while_the_server_was_down_fire_at_the_start(desk: Any) -> None:
    people = [f"u{number}" for number in range(7)]
    await desk.settle([desk.work(desk.event("checkout_started", who, cart_value=80)) for who in people])
    desk.now = desk.at(1000)
    metrics = Metrics()

    async def settle(batch: Sequence[Work]) -> list[Result]:
        results: list[Result] = await desk.settle(batch)
        capacity.note(desk.last)
        return results

    pacing = Pacing(look=timedelta(hours=1), limit=3)
    capacity = TimerCapacity(desk.store, metrics)
    timers = Timers(desk.store, settle, lambda: desk.now, capacity, pacing)
    stop = asyncio.Event()
    task = asyncio.create_task(timers.run(stop))
    async with asyncio.timeout(10):
        while await desk.store.due_timers(desk.now, 9):  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(task, 1)
    assert [len(await desk.store.discounts(who)) for who in people] == [1] * 7
    assert metrics.registry.get_sample_value("adapter_timers_total", {"outcome": "fired"}) == 7


async def test_free_timer_slots_shrink_by_armed_timers_and_are_counted_in_the_store(
    desk: Any, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    capacity = TimerCapacity(desk.store, metrics, most=3)
    capacity.note(CommitResult([], armed=2))
    assert capacity.room == 1
    capacity.note(CommitResult([], armed=1, unarmed={"cart-recovery": 4}))
    assert capacity.room == 0
    await capacity.count()
    assert capacity.room == 3
    assert "the limit of timers is reached" in caplog.text
    assert metrics.registry.get_sample_value("adapter_timers_total", {"outcome": "refused"}) == 4


async def test_timers_armed_during_a_count_are_counted(desk: Any) -> None:
    class Slow:
        async def counts(self) -> dict[str, int]:
            counts = dict(await desk.store.counts())
            capacity.note(CommitResult([], armed=2))
            return counts

    store: Any = Slow()
    capacity = TimerCapacity(store, Metrics(), most=10)
    await capacity.count()
    assert capacity.room == 8
    capacity.note(CommitResult([], armed=1))
    assert capacity.room == 7


async def test_a_timer_that_two_found_due_has_fired_once(desk: Any) -> None:
    await desk.settle([desk.work(desk.event("checkout_started", cart_value=80))])
    desk.now = desk.at(1000)
    due = await desk.store.due_timers(desk.now, 9)
    fired = []
    for _ in range(2):
        await desk.settle([desk.due(timer) for timer in due])
        fired.append(desk.last.fired)
    assert fired == [1, 0]


@pytest.mark.parametrize(("most", "counts"), [(1000, 1), (10, 4)])
async def test_near_the_limit_timers_of_other_processes_are_counted_more_often(
    desk: Any, most: int, counts: int
) -> None:
    """Of eight looks, with nine of ten waiting every second one counts; with room to spare only the first."""
    people = [f"u{number}" for number in range(9)]
    await desk.settle([desk.work(desk.event("checkout_started", who, cart_value=80)) for who in people])
    stop, asked, looks = asyncio.Event(), [], itertools.count(1)

    class Counted:
        async def counts(self) -> dict[str, int]:
            asked.append("counts")
            return dict(await desk.store.counts())

        async def due_timers(self, now: Any, limit: int) -> list[Any]:
            if next(looks) == 8:
                stop.set()
            return []

    look = timedelta(milliseconds=1)
    pacing = Pacing(look=look, count=10 * look, count_full=2 * look)
    store: Any = Counted()
    capacity = TimerCapacity(store, Metrics(), most)
    timers = Timers(store, desk.settle, lambda: desk.now, capacity, pacing)
    async with asyncio.timeout(10):
        await timers.run(stop)
    assert len(asked) == counts
    assert capacity.room == most - 9
