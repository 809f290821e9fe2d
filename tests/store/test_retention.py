"""What is dropped by age, and what is not."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from adapter.store.contract import Store
from adapter.store.values import DeliveryResult


async def test_old_events_go_and_the_history_stays(store: Store, run: Any, make: Any) -> None:
    days = [make.event(f"e{day}", make.at(days=-day)) for day in range(10)]
    record = make.customer("c1", b"folded")
    await run.save(customers=[record], events=[("c1", event) for event in days])
    assert await store.purge("events", make.at(days=-6)) == 3
    assert await store.events("c1") == days[:7]
    assert (await store.counts())["events"] == 7
    assert (await run.load(customers=["c1"])).customers["c1"].history == record.history
    assert await store.purge("events", make.at(days=-6)) == 0


async def test_old_decisions_go(store: Store, run: Any, make: Any) -> None:
    old, new = make.decision(event_id="old", at=make.at(days=-1)), make.decision(event_id="new")
    await run.save(decisions=[new, old])
    assert await store.purge("decisions", make.now) == 1
    assert await store.decisions("c1") == [new]


async def test_old_deliveries_go_once_they_are_over(store: Store, run: Any, make: Any) -> None:
    old = [replace(make.delivery(id_), created_at=make.at(days=-1)) for id_ in ("done", "dead", "due")]
    await run.save(deliveries=[*old, make.delivery("new")])
    await store.lease(make.now, make.at(minutes=1), 9)
    await store.settle([DeliveryResult(id_, 1, done=id_ != "dead") for id_ in ("done", "dead", "new")])
    assert await store.purge("deliveries", make.now) == 2
    assert [each.id for each in await store.deliveries("due")] == ["due"]
    assert [each.id for each in await store.deliveries("done")] == ["new"]


async def test_old_quarantined_messages_go_with_the_names_in_them(store: Store, run: Any, make: Any) -> None:
    old = replace(make.quarantined("old", names={"userId": "c1"}), received_at=make.at(days=-1))
    await run.save(quarantine=[old, make.quarantined("new", names={"userId": "c1"})])
    assert await store.purge("quarantine", make.now) == 1
    assert [each.key for each in await store.quarantined()] == ["new"]
    assert (await store.counts())["quarantined"] == 1
    assert [each.key for each in (await store.held("c1")).quarantined] == ["new"]


async def test_there_is_no_limit_to_how_many_go(store: Store, run: Any, make: Any) -> None:
    await run.save(events=[(f"c{n % 9}", make.event(f"e{n}", make.at(days=-1))) for n in range(11_000)])
    assert await store.purge("events", make.now) == 11_000
    assert (await store.counts())["events"] == 0
