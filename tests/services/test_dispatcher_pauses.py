"""Endpoints that ask for a pause, or for no deliveries at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from adapter.destinations.contract import Attempt
from adapter.errors import Unavailable
from adapter.services.delivery.outcomes import GONE, QUIET
from adapter.services.delivery.retries import retry_all
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
