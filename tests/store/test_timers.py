"""Timers: one per customer and rule, ended by what comes in time, and a customer's whole past."""

from __future__ import annotations

from typing import Any

from adapter.model.timers import Cancellation
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import CustomerHistory, LoadRequest


async def test_a_timer_is_due_from_its_moment_on_until_it_is_ended(store: Store, run: Any, make: Any) -> None:
    timer, later = make.timer("a\0"), make.timer("b", minutes=60)
    await run.save(armed=[later, timer])
    assert await store.due_timers(make.at(minutes=29), 9) == []
    assert await store.due_timers(make.at(minutes=30), 9) == [timer]
    assert await store.due_timers(make.at(minutes=60), 9) == [timer, later]
    assert await store.due_timers(make.at(minutes=60), 1) == [timer]
    assert (await store.counts())["timers"] == 2
    await run.save(cancelled=[Cancellation("a\0", "c1", timer.event.occurred_at)])
    assert await store.due_timers(make.at(minutes=60), 9) == [later]
    assert (await store.counts())["timers"] == 1


async def test_arming_again_replaces(store: Store, run: Any, make: Any) -> None:
    await run.save(armed=[make.timer()])
    again = make.timer(at=make.at(minutes=5))
    await run.save(armed=[again])
    assert await store.due_timers(make.at(days=1), 9) == [again]
    assert (await store.counts())["timers"] == 1


async def test_only_an_event_in_time_cancels_a_timer(store: Store, run: Any, make: Any) -> None:
    timer = make.timer()
    await run.save(armed=[timer])
    for rule, who, minutes in (
        ("lapsed", "c1", -1),
        ("lapsed", "c1", 31),
        ("x", "c1", 1),
        ("lapsed", "c2", 1),
    ):
        cancelled = Cancellation(rule, who, make.at(minutes=minutes))
        assert not cancelled.ends(timer)
        await run.save(cancelled=[cancelled])
    assert await store.due_timers(make.at(days=1), 9) == [timer]
    for minutes in (0, 30):
        await run.save(armed=[timer])
        await run.save(cancelled=[Cancellation("lapsed", "c1", make.at(minutes=minutes))])
        assert await store.due_timers(make.at(days=1), 9) == []


async def test_a_timer_started_with_a_cancelling_event_is_after_it(store: Store, run: Any, make: Any) -> None:
    timer = make.timer()
    await run.save(cancelled=[Cancellation("lapsed", "c1", make.at(minutes=1))], armed=[timer])
    assert await store.due_timers(make.at(days=1), 9) == [timer]


async def test_a_merge_keeps_the_later_timer_and_an_erasure_none(store: Store, run: Any, make: Any) -> None:
    early, late = make.timer(source_id="a"), make.timer(source_id="b", at=make.at(minutes=9))
    alone = make.timer("other", "a")
    for moved in ([("a", "b")], [("b", "a")]):
        await run.save(erased=["a", "b"])
        await run.save(customers=[make.customer("a"), make.customer("b")], armed=[early, late, alone])
        await run.save(moved=moved, cancelled=[Cancellation("other", "a", make.at(minutes=31))])
        to = moved[0][1]
        found = await store.due_timers(make.at(days=1), 9)
        assert [(each.rule, each.source_id, each.due_at) for each in found] == [
            ("other", to, alone.due_at),
            ("lapsed", to, late.due_at),
        ]
        assert (await store.counts())["timers"] == 2
    await run.save(erased=["a"])
    assert await store.due_timers(make.at(days=1), 9) == []
    assert await store.check() == []  # type: ignore[attr-defined]


async def test_a_transaction_receives_timers_and_histories(store: Store, run: Any, make: Any) -> None:
    events = [make.event("e1"), make.event("e2", make.at(days=-400))]
    await run.save(
        customers=[make.customer("c1"), make.customer("c2")],
        events=[("c1", event) for event in events],
        armed=[make.timer(), make.timer("other"), make.timer(source_id="c2")],
    )

    async def script(transaction: Transaction) -> tuple[Any, Any]:
        loaded = await transaction.load(LoadRequest(customers=["c1"], waits=["lapsed", "none"]), make.now)
        return loaded.timers, await transaction.past(["c1", "c2"])

    timers, past = await store.transact(script)
    assert timers == [make.timer()]
    assert sorted(past) == ["c1"]
    assert sorted(past["c1"], key=lambda event: str(event.id)) == events


async def test_pasts_go_through_all_customers_in_pages(store: Store, run: Any, make: Any) -> None:
    await run.save(
        customers=[make.customer(name) for name in ("b", "a", "c")],
        events=[("b", make.event())],
        decisions=[make.decision("a", at=make.at(days=1)), make.decision("a", "e0")],
    )
    a, b, c = [await store.customer(name) for name in "abc"]
    first = await store.customer_histories("", 2)
    assert first == [
        CustomerHistory("a", [make.decision("a", "e0"), make.decision("a", at=make.at(days=1))], [], a),
        CustomerHistory("b", [], [make.event()], b),
    ]
    assert await store.customer_histories("b", 2) == [CustomerHistory("c", [], [], c)]
