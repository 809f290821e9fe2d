"""Endpoints that ask for a pause, or for no deliveries at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from adapter.destinations.answers import judged
from adapter.destinations.contract import Attempt
from adapter.destinations.transport import Answer
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.breakers import Tally
from adapter.services.delivery.outcomes import GONE, MOST_LEASES, QUIET
from adapter.services.delivery.retries import retry_all
from adapter.services.delivery.shown import sending
from adapter.services.health import Check
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.services.outbox_doubles import NOON, OK, Away, Clock, Endpoint, delivery, many, put, relay


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


async def test_an_endpoint_with_status_410_is_paused_for_an_hour_and_loses_nothing(
    store: Store, clock: Clock
) -> None:
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, gone=True, error="answered 410"))
    await put(store, many(20))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    assert len(endpoint.sent) == 8
    assert await store.deliveries("dead") == []
    assert sorted({waiting.due_at for waiting in await store.deliveries("due")}) == [NOON, NOON + GONE]
    clock.now += GONE
    endpoint.answer = lambda _: OK
    assert await each.run_once(100) == 20
    assert len(await store.deliveries("done")) == 20


async def test_a_pause_applies_to_every_process_and_after_a_restart_until_it_is_ended(
    store: Store, clock: Clock
) -> None:
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, gone=True, error="answered 410"))
    await put(store, many(20))
    first = relay(store, clock, endpoint)
    await first.run_once(100)
    endpoint.answer = lambda _: OK
    assert [await each.run_once(100) for each in (first, relay(store, clock, endpoint))] == [0, 0]
    done = await retry_all(store, clock())
    assert [pause.until for pause in done.resumed] == [NOON + GONE]
    assert await first.run_once(100) == 20


async def test_nothing_more_is_sent_before_a_pause_is_in_the_store(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, gone=True, error="answered 410"))
    await put(store, many(20))
    away = Away(store)
    each = relay(cast("Store", away), clock, endpoint)
    for _ in range(30):
        with suppress(Unavailable):
            await each.run_once(100)
    assert len(endpoint.sent) == 8
    assert len(await store.pauses(clock())) == 1


async def test_a_throttling_endpoint_is_paused_without_using_attempts(store: Store, clock: Clock) -> None:
    asked = timedelta(minutes=10)
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, retry_after=asked, error="answered 429"))
    await put(store, many(20))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    put_off = [waiting for waiting in await store.deliveries("due") if waiting.attempt]
    assert {waiting.due_at for waiting in put_off} == {NOON + asked}
    assert len(put_off) == 8
    clock.now += QUIET - timedelta(seconds=1)
    assert await each.run_once(100) == 0
    clock.now += timedelta(seconds=1)
    endpoint.answer = lambda _: OK
    assert await each.run_once(100) == 12


async def test_a_clock_that_is_set_back_does_not_make_a_pause_longer(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, retry_after=QUIET, error="answered 429"))
    await put(store, many(9))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    endpoint.answer = lambda _: OK
    clock.now -= timedelta(hours=1)
    early = replace(delivery("early"), due_at=clock.now)
    await put(store, [early])
    assert await each.run_once(100) == 1
    assert endpoint.sent[-1] == ("early", 1)


async def test_a_pause_asked_for_after_the_clock_was_set_back_is_as_long_as_asked(
    store: Store, clock: Clock
) -> None:
    asked = timedelta(seconds=5)
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, retry_after=asked, error="answered 429"))
    await put(store, many(9))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    clock.now -= timedelta(hours=1)
    await put(store, [replace(delivery("early"), due_at=clock.now)])
    await each.run_once(100)
    clock.now += asked
    endpoint.answer = lambda _: OK
    await put(store, [replace(delivery("later"), due_at=clock.now)])
    assert await each.run_once(100) == 2
    assert {sent for sent, _ in endpoint.sent[-2:]} == {"early", "later"}


async def test_a_short_pause_does_not_end_a_longer_one(store: Store, clock: Clock) -> None:
    pauses = iter([timedelta(seconds=50), *[timedelta(seconds=1)] * 7])
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, retry_after=next(pauses), error="answered 429"))
    await put(store, many(9))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    endpoint.answer = lambda _: OK
    clock.now += timedelta(seconds=49)
    assert await each.run_once(100) == 0
    clock.now += timedelta(seconds=1)
    assert await each.run_once(100) == 9


async def test_a_retry_after_the_end_of_the_discount_gives_the_delivery_up_with_the_reason(
    store: Store, clock: Clock
) -> None:
    asked = timedelta(hours=2)
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, retry_after=asked, error="answered 500"))
    await put(store, [replace(delivery("d"), not_after=NOON + timedelta(hours=1))])
    await relay(store, clock, endpoint).run_once(100)
    [dead] = await store.deliveries("dead")
    assert dead.last_error == (
        "answered 500; given up after attempt 1, because the next attempt would be after the discount expires"
    )


async def test_a_pause_is_in_readiness_and_an_error_in_the_log(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Case D35: a 410 during a deploy is told by more than a handler that is not called any more."""
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, gone=True, error="answered 410"))
    await put(store, many(2))
    each = relay(store, clock, endpoint)
    assert await sending(store, clock) == Check("destinations", ok=True)
    await each.run_once(100)
    [logged] = [record for record in caplog.records if "pause" in record.message]
    assert (logged.levelname, logged.getMessage()) == (
        "ERROR",
        "deliveries to shop pause for 3600 s: answered 410",
    )
    await store.settle([], Tally("crm", 0, 10, clock(), "answered 500 at 10.0.0.7"))
    told = await sending(store, clock)
    assert told.detail == (
        "`crm` failed too often, and gets nothing until 2026-11-21T12:00:30Z; "
        "`shop` is paused until 2026-11-21T13:00:00Z: see `adapter deliveries`"
    )
    assert not told.ok
    endpoint.answer = lambda _: OK
    await retry_all(store, clock())
    assert (await sending(store, clock)).ok
    assert await each.run_once(100) == 2


def _same(attempt: Attempt, _delivery: object) -> Attempt:
    return attempt


async def test_equal_pauses_in_a_row_are_told_once_until_a_delivery_succeeds(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    hour = timedelta(hours=1)
    away = Attempt(ok=False, retry_after=hour, error="answered 503")
    endpoint = Endpoint("shop", lambda _: away)
    await put(store, many(1))
    each = relay(store, clock, endpoint)
    told: list[int] = []
    for answer in (away, away, away, OK, away):
        endpoint.answer = partial(_same, answer)
        caplog.clear()
        await put(store, [replace(delivery(f"d{len(told)}"), due_at=clock())])
        await each.run_once(100)
        told.append(sum("pause for" in one.message and one.levelname == "WARNING" for one in caplog.records))
        clock.now += hour * 1.2
    assert told == [1, 0, 0, 0, 1]


async def test_after_a_destination_was_away_one_request_finds_out_whether_it_is_back(
    store: Store, clock: Clock
) -> None:
    """Case D44: the backlog follows once that succeeds."""
    asked = timedelta(seconds=15)
    away = Attempt(ok=False, retry_after=asked, counted=False, error="cannot connect")
    endpoint = Endpoint("core", lambda _: away)
    await put(store, many(40, "core"))
    each = relay(store, clock, endpoint)
    await each.run_once(100)
    at_first = len(endpoint.sent)
    for _ in range(3):
        clock.now += asked
        await each.run_once(100)
    assert len(endpoint.sent) - at_first == 3
    endpoint.answer = lambda _: OK
    endpoint.most_at_once = 0
    clock.now += asked
    worker = each._workers["core"]
    await worker._lease_some()
    await worker._flush()
    assert endpoint.most_at_once == 1
    await each.run_once(100)
    assert endpoint.most_at_once == 8
    assert len(await store.deliveries("done", 100)) == 40


async def test_a_pause_that_is_cut_to_a_day_is_counted_and_shown(store: Store, clock: Clock) -> None:
    """Case D34: the operator is told."""
    answer = Answer(429, {"retry-after": "2592000"}, b"", whole=True)
    endpoint, metrics = Endpoint("shop", lambda _: judged(answer, clock())), Metrics()
    await put(store, many(1))
    await relay(store, clock, endpoint, metrics=metrics).run_once(1)
    [waiting] = await store.deliveries("due")
    assert waiting.due_at == NOON + timedelta(hours=24)
    assert (waiting.last_error or "").endswith("it asked for a pause of 720 hours, which was cut to 24")
    assert metrics.registry.get_sample_value("adapter_retry_after_cut_total", {"destination": "shop"}) == 1


async def test_a_destination_that_is_away_for_long_costs_its_deliveries_neither_their_life_nor_their_place(
    store: Store, clock: Clock
) -> None:
    away = Attempt(ok=False, error="cannot connect", retry_after=timedelta(seconds=15), counted=False)
    endpoint = Endpoint("shop", lambda _: away)
    await put(store, many(2))
    each = relay(store, clock, endpoint)
    for _ in range(MOST_LEASES + 50):
        await each.run_once(9)
        clock.now += timedelta(seconds=15)
    waiting = await store.deliveries("due")
    assert [one.due_at for one in waiting] == [NOON, NOON], "each lease finds the first of a customer at once"
    assert max(one.attempt for one in waiting) > MOST_LEASES
    endpoint.answer = lambda one: Attempt(ok=False, error="not answered", counted=False)
    await each.run_once(9)
    assert await store.deliveries("dead") == [], "what comes after an outage counts anew"


async def test_a_delivery_that_is_never_answered_is_given_up_some_day(store: Store, clock: Clock) -> None:
    endpoint = Endpoint("shop", lambda _: Attempt(ok=False, error="not answered", counted=False))
    await put(store, many(1))
    each = relay(store, clock, endpoint)
    while not await store.deliveries("dead"):
        assert await each.run_once(1)
        clock.now += timedelta(days=1)
    assert len(endpoint.sent) == MOST_LEASES
