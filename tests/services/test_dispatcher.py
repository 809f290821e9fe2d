"""The dispatcher over a real outbox: what is due is sent at least once, and recorded exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from adapter.destinations.contract import Attempt
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery
from adapter.services.delivery.destination_worker import Pace
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.services.outbox_doubles import (
    NOON,
    OK,
    Away,
    Clock,
    Endpoint,
    Unleasing,
    delivery,
    many,
    put,
    relay,
)  # fmt: skip

#: Only a wake-up or the end of a send stirs a worker of this pace.
ASLEEP = Pace(soonest=timedelta(hours=1), latest=timedelta(hours=1))
FAILED = Attempt(ok=False, error="answered 500")


@asynccontextmanager
async def running(relay: Dispatcher) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    yield stop
    stop.set()
    await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.005)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


async def test_a_due_delivery_is_sent_once_and_done(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    await put(store, many(3))
    assert await relay(store, clock, endpoint).run_once(100) == 3
    assert await relay(store, clock, endpoint).run_once(100) == 0
    assert sorted(endpoint.sent) == [("shop-0", 1), ("shop-1", 1), ("shop-2", 1)]
    assert len(await store.deliveries("done")) == 3


async def test_a_failure_comes_back_on_schedule_with_the_same_id(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: FAILED)
    await put(store, [delivery("d")])
    each = relay(store, clock, endpoint)
    assert await each.run_once(100) == 1
    [waiting] = await store.deliveries("due")
    assert (waiting.due_at, waiting.last_error) == (NOON + timedelta(seconds=5), "answered 500")
    clock.now += timedelta(seconds=4)
    assert await each.run_once(100) == 0
    clock.now += timedelta(seconds=1)
    endpoint.answer = lambda _: OK
    assert await each.run_once(100) == 1
    assert endpoint.sent == [("d", 1), ("d", 2)]
    assert await store.deliveries("due") == []


async def test_the_tenth_failure_gives_the_delivery_up(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: FAILED)
    await put(store, [delivery("d")])
    for _ in range(15):
        await relay(store, clock, endpoint).run_once(100)
        clock.now += timedelta(hours=30)
    assert len(endpoint.sent) == 10
    [dead] = await store.deliveries("dead")
    assert dead.last_error == "answered 500; given up after attempt 10"


async def test_nothing_is_sent_that_has_expired(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    await put(store, [delivery("d", not_after=NOON)])
    assert await relay(store, clock, endpoint).run_once(100) == 1
    assert endpoint.sent == []
    [dead] = await store.deliveries("dead")
    assert dead.last_error == "the discount expired before it could be sent"


async def test_a_retry_that_would_come_too_late_is_not_waited_for(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: FAILED)
    await put(store, [delivery("d", not_after=NOON + timedelta(seconds=3))])
    await relay(store, clock, endpoint).run_once(100)
    assert len(await store.deliveries("dead")) == 1


@pytest.mark.parametrize("configured", [True, False])
async def test_a_delivery_to_an_unconfigured_destination_is_given_up_with_the_reason(
    store: Store, clock: Clock, *, configured: bool
) -> None:
    endpoint = Endpoint("shop")
    await put(store, [*many(30, "removed"), *many(5)])
    dispatcher = relay(store, clock, *([endpoint] if configured else []))
    await dispatcher.run_once(100)
    clock.now += Pace().strange_for
    await dispatcher.run_once(100)
    dead = await store.deliveries("dead")
    assert len([each for each in dead if each.destination == "removed"]) == 30
    assert dead[0].last_error == (
        "no destination `removed` is configured: set `destinations.removed.url` again, "
        "then `adapter deliveries --retry-all`"
    )
    assert len(await store.deliveries("done")) == (5 if configured else 0)


async def test_a_process_without_a_new_destination_leaves_its_deliveries_to_one_that_has_it(
    store: Store, clock: Clock
) -> None:
    shop, new = Endpoint("shop"), Endpoint("new")
    before, after = relay(store, clock, shop), relay(store, clock, shop, new)
    await put(store, many(30, "new"))
    for _ in range(3):
        assert await before.run_once(100) == 0
        clock.now += Pace().strange_for / 4
    assert await after.run_once(100) == 30
    assert await before.run_once(100) == 0  # it sees that nothing is due: the time begins anew
    await put(store, [delivery("later", "new")])
    clock.now += Pace().strange_for / 2
    assert await before.run_once(100) == 0
    assert await store.deliveries("dead") == []


async def test_a_running_dispatcher_gives_them_up_too(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    await put(store, [*many(3, "removed"), *many(20)])
    async with running(relay(store, clock, endpoint, pace=Pace(strange_for=timedelta(0)))):
        await until(lambda: len(endpoint.sent) == 20)
    assert len(await store.deliveries("dead")) == 3
    assert len(await store.deliveries("done")) == 20


async def test_a_backlog_is_sent_eight_at_a_time(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    await put(store, many(50))
    async with running(relay(store, clock, endpoint)):
        await until(lambda: len(endpoint.sent) == 50)
    assert endpoint.most_at_once <= 8
    assert len(await store.deliveries("done")) == 50


async def test_a_slow_endpoint_does_not_delay_another(store: Store, clock: Clock) -> None:
    slow, quick = Endpoint("slow"), Endpoint("quick")
    slow.open.clear()
    await put(store, [*many(100, "slow"), *many(40, "quick")])
    async with running(relay(store, clock, slow, quick)):
        await until(lambda: len(quick.sent) == 40)
        assert len(slow.sent) == slow.at_once == 8
        slow.open.set()
    assert len(await store.deliveries("done", 200)) == 48


async def test_a_wake_up_sends_at_once(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    each = relay(store, clock, endpoint, pace=ASLEEP)
    async with running(each):
        await asyncio.sleep(0.1)
        await put(store, [delivery("d")])
        await asyncio.sleep(0.1)
        assert endpoint.sent == []
        each.wake()
        await until(lambda: endpoint.sent == [("d", 1)])


async def test_without_a_wake_up_the_next_search_finds_it(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    async with running(relay(store, clock, endpoint)):
        await asyncio.sleep(0.1)
        await put(store, [delivery("d")])
        await until(lambda: endpoint.sent == [("d", 1)])


async def test_stopping_finishes_and_records_deliveries_under_way(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop")
    endpoint.open.clear()
    await put(store, many(5))
    async with running(relay(store, clock, endpoint)) as stop:
        await until(lambda: endpoint.at_once == 5)
        stop.set()
        await asyncio.sleep(0.05)
        endpoint.open.set()
    assert len(await store.deliveries("done")) == 5
    assert len(endpoint.sent) == 5


async def test_killed_between_the_answer_and_the_record_it_is_sent_again_with_the_same_id(
    store: Store, clock: Clock
) -> None:
    endpoint = Endpoint("shop")
    endpoint.open.clear()
    await put(store, [delivery("d")])
    task = asyncio.create_task(relay(store, clock, endpoint).run(asyncio.Event()))
    await until(lambda: endpoint.at_once == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    endpoint.open.set()
    clock.now += timedelta(seconds=59)
    assert await relay(store, clock, endpoint).run_once(100) == 0
    clock.now += timedelta(seconds=1)
    assert await relay(store, clock, endpoint).run_once(100) == 1
    assert endpoint.sent == [("d", 1), ("d", 2)]


async def test_a_dispatcher_whose_lease_has_ended_cannot_overwrite_the_next_record(
    store: Store, clock: Clock
) -> None:
    sleeper, successor = Endpoint("shop", lambda _: FAILED), Endpoint("shop")
    sleeper.open.clear()
    await put(store, [delivery("d")])
    late = asyncio.create_task(relay(store, clock, sleeper).run_once(100))
    await until(lambda: sleeper.at_once == 1)
    clock.now += timedelta(seconds=60)
    assert await relay(store, clock, successor).run_once(100) == 1
    sleeper.open.set()
    assert await late == 0
    [done] = await store.deliveries("done")
    assert done.last_error is None


async def test_two_dispatchers_over_one_outbox_send_everything_once(store: Store, clock: Clock) -> None:
    assert await _repeated(store, store, clock) == 0


async def test_a_store_that_does_not_lease_is_found_by_the_check_of_two_dispatchers(
    store: Store, clock: Clock
) -> None:
    assert await _repeated(store, cast("Store", Unleasing(store)), clock) > 0


async def test_an_unavailable_store_causes_no_repeated_delivery(store: Store, clock: Clock) -> None:
    away = Away(store)
    endpoint = Endpoint("shop")
    await put(store, many(6))
    quick = Pace(soonest=timedelta(milliseconds=5), latest=timedelta(milliseconds=5))
    async with running(relay(cast("Store", away), clock, endpoint, pace=quick)):
        await until(lambda: len(endpoint.sent) == 6 and away.refused >= 6)
        await asyncio.sleep(0.1)
    assert len(await store.deliveries("done")) == 6
    assert Counter(id_ for id_, _ in endpoint.sent).most_common(1)[0][1] == 1


async def test_an_internal_error_of_a_destination_costs_one_attempt(store: Store, clock: Clock) -> None:
    def breaks(delivery: Delivery) -> Attempt:
        if delivery.id == "shop-0":
            raise RuntimeError("a mistake of ours")
        return OK

    await put(store, many(3))
    assert await relay(store, clock, Endpoint("shop", breaks)).run_once(100) == 3
    [waiting] = await store.deliveries("due")
    assert (waiting.id, waiting.last_error) == ("shop-0", "the destination raised an exception, see the log")


async def test_results_of_attempts_are_counted(store: Store, clock: Clock) -> None:
    metrics = Metrics()
    verdicts = {"shop-0": OK, "shop-1": FAILED, "shop-2": Attempt(ok=False, final=True, error="answered 400")}
    endpoint = Endpoint("shop", lambda delivery: verdicts[delivery.id])
    await put(store, many(3))
    await relay(store, clock, endpoint, metrics=metrics).run_once(10)
    for outcome in ("done", "retry", "dead"):
        labels = {"destination": "shop", "outcome": outcome}
        assert metrics.registry.get_sample_value("adapter_deliveries_total", labels) == 1


async def _repeated(store: Store, outbox: Store, clock: Clock) -> int:
    """Run two dispatchers on 60 deliveries at once; return how many sends were repetitions."""
    endpoints = Endpoint("shop"), Endpoint("shop")
    await put(store, many(60))
    await asyncio.gather(*(relay(outbox, clock, endpoint).run_once(60) for endpoint in endpoints))
    sent = [id_ for endpoint in endpoints for id_, _ in endpoint.sent]
    assert len(set(sent)) == 60
    return len(sent) - len(set(sent))
