"""What is to be forwarded, and the calls of a destination, on both engines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
from msgspec import Raw

from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.store.contract import Store
from adapter.store.forwarding_values import CallLimits, Forward, NewForward, Refusal
from adapter.store.values import Erasure, LoadRequest
from tests.store.conftest import NOW, Make, Run
from tests.store.planted_rows import opened

WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
LATER = NOW + timedelta(minutes=15)


def made(forward: Forward) -> Delivery | None:
    """An outbox entry with what is known of the customer, and of the event."""
    if forward.customer is None and forward.event is None:
        return None
    name = None if forward.customer is None else forward.customer.name
    event = None if forward.event is None else forward.event.id
    body = Raw(encode([forward.source_id, name, event]))
    id_ = f"{forward.destination} {forward.source_id} {forward.ref} {name}"
    return Delivery(id_, forward.destination, forward.source_id, "customer.updated", body, NOW, NOW)


def changed(source_id: str, destination: str = "vf", due_at: datetime = NOW) -> NewForward:
    return NewForward(source_id, destination, "customer", due_at)


async def move(store: Store, now: datetime = NOW, destination: str = "vf", **bounds: int) -> list[bytes]:
    """Move what is due, and return the bodies of all due deliveries."""
    await store.forward(now, destination, made, **{"limit": 10, "backlog": 10} | bounds)
    return [bytes(each.event) for each in await store.deliveries("due", destination=destination)]


async def test_changes_within_an_interval_become_the_newest_state(store: Store, run: Run, make: Make) -> None:
    await run.save(customers=[make.customer("c-1", name="Ann")], forwards=[changed("c-1", due_at=LATER)])
    assert await move(store) == []
    wanted = LoadRequest(customers=["c-1"])
    await run.save(
        wanted, customers=[make.customer("c-1", name="Bea")], forwards=[changed("c-1", due_at=LATER)]
    )
    assert await move(store, LATER) == [b'["c-1","Bea",null]']
    assert len(await move(store, LATER)) == 1
    await run.save(wanted, customers=[make.customer("c-1", name="Cyd")], forwards=[changed("c-1")])
    assert await move(store, LATER) == [b'["c-1","Bea",null]', b'["c-1","Cyd",null]']


async def test_each_destination_has_its_own_and_each_event_is_kept(
    store: Store, run: Run, make: Make
) -> None:
    event = NewForward("c-1", "vf", "event", NOW, "digest", make.event("e-1"))
    other = NewForward("c-1", "vf", "event", NOW, "other", make.event("e-2"))
    both = [changed("c-1"), changed("c-1", "crm"), event, event, other]
    await run.save(customers=[make.customer("c-1", name="Ann")], forwards=both)
    bodies = await move(store)
    assert sorted(bodies) == [b'["c-1","Ann","e-1"]', b'["c-1","Ann","e-2"]', b'["c-1","Ann",null]']
    assert await move(store, destination="crm") == [b'["c-1","Ann",null]']


async def test_a_backlog_leaves_the_rest_where_it_becomes_one(store: Store, run: Run, make: Make) -> None:
    names = [f"c-{n}" for n in range(5)]
    await run.save(
        customers=[make.customer(name) for name in names], forwards=[changed(name) for name in names]
    )
    assert len(await move(store, limit=2)) == 2
    assert len(await move(store, backlog=3)) == 3
    assert len(await move(store, backlog=3)) == 3


async def test_an_erased_customer_is_not_forwarded_and_a_merged_one_under_the_survivor(
    store: Store, run: Run, make: Make
) -> None:
    people = ["gone", "old", "new"]
    await run.save(
        customers=[make.customer(name, name=name) for name in people],
        forwards=[
            changed("gone"),
            changed("old"),
            changed("new"),
            NewForward("old", "vf", "event", NOW, "x", make.event()),
        ],
    )
    wanted = LoadRequest(customers=people)
    await run.save(
        wanted,
        erased=[Erasure("gone")],
        moved=[("old", "new")],
        customers=[make.customer("new", name="both")],
    )
    assert sorted(await move(store)) == [b'["new","both","e1"]', b'["new","both",null]']


async def test_no_more_calls_than_the_limit_in_any_minute(store: Store) -> None:
    limits, now, granted = CallLimits(per_minute=10), datetime(2026, 1, 31, 23, 58, 30, tzinfo=UTC), []
    for _ in range(60):
        refusal = await store.spend(now, "vf", 2, limits)
        if refusal is None:
            granted.append(now)
            now += timedelta(seconds=3.7)
        else:
            assert refusal.limit == "minute"
            assert now < refusal.until <= now + timedelta(seconds=61)
            now = refusal.until
    for start in granted:
        within = [at for at in granted if start <= at < start + timedelta(minutes=1)]
        assert 2 * len(within) <= 10
    assert len(granted) > 30


async def test_a_month_ends_with_the_calendar_month_and_nothing_is_counted_when_refused(store: Store) -> None:
    limits, now = CallLimits(per_month=5), datetime(2026, 1, 31, 12, tzinfo=UTC)
    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert [await store.spend(now, "vf", 2, limits) for _ in range(3)] == [
        None,
        None,
        Refusal(february, "month"),
    ]
    assert await store.spend(now, "vf", 1, limits) is None
    assert await store.spend(now, "crm", 5, limits) is None
    assert await store.spend(february, "vf", 2, limits) is None


async def test_more_calls_at_once_than_the_limit_wait_for_an_unused_one(store: Store) -> None:
    limits = CallLimits(per_minute=1)
    assert await store.spend(NOW, "vf", 2, limits) is None
    refusal = await store.spend(NOW, "vf", 2, limits)
    assert refusal is not None
    assert await store.spend(refusal.until, "vf", 2, limits) is None


async def test_two_processes_share_the_calls_of_a_minute_and_move_nothing_twice(
    postgres_url: str, make: Make
) -> None:
    async with opened(postgres_url) as one, opened(postgres_url) as other:
        names = [f"c-{n:02}" for n in range(40)]
        await Run(one, make).save(
            customers=[make.customer(name) for name in names], forwards=[changed(name) for name in names]
        )
        limits = CallLimits(per_minute=25)
        moves = [store.forward(NOW, "vf", made, limit=7, backlog=50) for store in (one, other) * 5]
        spends = [store.spend(NOW, "vf", 1, limits) for store in (one, other) * 20]
        moved, refusals = await asyncio.gather(*moves), await asyncio.gather(*spends)
        assert sum(moved) == len(await one.deliveries("due")) == 40
        assert refusals.count(None) == 25


async def test_a_change_while_its_customer_is_being_forwarded_is_forwarded_again(
    postgres_url: str, make: Make
) -> None:
    async with opened(postgres_url) as store:
        run = Run(store, make)
        await run.save(customers=[make.customer("c-1", name="Ann")], forwards=[changed("c-1")])
        forwarding = await asyncpg.connect(postgres_url)
        async with forwarding.transaction():
            await forwarding.execute("SELECT 1 FROM forwards FOR UPDATE")
            later = [make.customer("c-1", name="Bea")]
            wanted = LoadRequest(customers=["c-1"])
            saving = asyncio.create_task(run.save(wanted, customers=later, forwards=[changed("c-1")]))
            while not await forwarding.fetchval(WAITING):  # noqa: ASYNC110 - the server sends no event
                await asyncio.sleep(0.01)
            await forwarding.execute("DELETE FROM forwards")
        await saving
        await forwarding.close()
        assert await move(store) == [b'["c-1","Bea",null]']
