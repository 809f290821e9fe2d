"""The body of a delivery: rendered once, by its destination, and the same in every attempt."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from msgspec import Raw

from adapter.destinations.contract import Attempt
from adapter.model.deliveries import Delivery
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.timestamps import micros
from tests.services.killed_sender import random_body
from tests.services.outbox_doubles import NOON, OK, Clock, Endpoint, delivery, many, put, relay

FAILED = Attempt(ok=False, error="answered 500")
#: How the version before stores a delivery, and reads one.
INSERT_BEFORE = """
    INSERT INTO deliveries (id, destination, source_id, type, body, created_at, due_at, visible_at, attempt,
                            status, not_after, last_error)
    VALUES ('old', 'shop', 'u-1', 'discount.issued', {body}, {at}, {at}, {at}, 0, 'due', NULL, NULL)
"""
SELECT_BEFORE = "SELECT body FROM deliveries WHERE status = 'due' AND destination = 'shop' ORDER BY number"
BODY_BEFORE = b'{"type":"discount.issued","timestamp":"2026-11-21T12:00:00Z","data":{"code":"A 1"}}'


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'adapter.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = open_store(url)
    await store.open()
    yield store
    await store.close()


async def run_sql(url: str, store: Store, statement: str) -> list[bytes]:
    """Run one statement as a program of the version before, while this one is closed; return its bodies."""
    await store.close()
    try:
        return await _run_sql(url, statement)
    finally:
        await store.open()


async def _run_sql(url: str, statement: str) -> list[bytes]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            return [bytes(row[0]) for row in file.execute(statement)]
    connection = await asyncpg.connect(url)
    try:
        return [bytes(row[0]) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_each_retry_sends_the_body_of_the_first_attempt(store: Store) -> None:
    clock, endpoint = Clock(), Endpoint("shop", lambda _: FAILED, random_body)
    await put(store, many(3))
    for _ in range(4):
        await relay(store, clock, endpoint).run_once(100)
        clock.now += timedelta(days=1)
    assert len(endpoint.bodies) == 12
    assert len(set(endpoint.bodies)) == 3


async def test_a_delivery_that_was_given_up_and_is_retried_keeps_its_body(store: Store) -> None:
    gone = Endpoint("shop", lambda _: Attempt(ok=False, final=True), random_body)
    later = Endpoint("shop", render=random_body)
    await put(store, [delivery("d")])
    await relay(store, Clock(), gone).run_once(100)
    await store.revive(NOON)
    await relay(store, Clock(), later).run_once(100)
    assert later.bodies == gone.bodies


@pytest.mark.process
async def test_a_process_killed_before_it_sends_leaves_the_body_to_its_successor(
    url: str, tmp_path: Path
) -> None:
    store, body = open_store(url), tmp_path / "body"
    await store.open()
    await put(store, [delivery("d")])
    await store.close()
    command = (sys.executable, "-m", "tests.services.killed_sender", url, str(body))
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == -signal.SIGKILL
    clock, successor = Clock(), Endpoint("shop", render=random_body)
    clock.now += timedelta(minutes=1)
    await store.open()
    await relay(store, clock, successor).run_once(1)
    await store.close()
    assert successor.bodies == [body.read_bytes()]
    assert successor.sent == [("d", 2)]


async def test_a_body_that_cannot_be_rendered_fails_only_its_delivery(store: Store) -> None:
    def render(due: Delivery) -> Raw | None:
        if due.id == "shop-1":
            raise KeyError("a fault")
        return None

    endpoint = Endpoint("shop", render=render)
    await put(store, many(3))
    await relay(store, Clock(), endpoint).run_once(100)
    assert sorted(endpoint.sent) == [("shop-0", 1), ("shop-2", 1)]
    assert [dead.id for dead in await store.deliveries("dead")] == ["shop-1"]


async def test_a_destination_of_another_type_renders_again(store: Store) -> None:
    clock = Clock()
    before = Endpoint("shop", lambda _: FAILED, lambda _: Raw(b'"before"'))
    after = Endpoint("shop", render=lambda _: Raw(b'"after"'))
    after.type = "another"
    await put(store, [delivery("d")])
    await relay(store, clock, before).run_once(1)
    clock.now += timedelta(days=1)
    await relay(store, clock, after).run_once(1)
    assert (before.bodies, after.bodies) == ([b'"before"'], [b'"after"'])


async def test_rows_of_the_version_before_are_sent_unchanged(url: str, store: Store) -> None:
    literal = f"X'{BODY_BEFORE.hex()}'" if url.startswith("sqlite") else f"'\\x{BODY_BEFORE.hex()}'::bytea"
    await run_sql(url, store, INSERT_BEFORE.format(body=literal, at=micros(NOON)))
    endpoint = Endpoint("shop")
    await relay(store, Clock(), endpoint).run_once(1)
    assert endpoint.bodies == [BODY_BEFORE]


async def test_the_version_before_can_send_rows_of_this_version(url: str, store: Store) -> None:
    clock, endpoint = Clock(), Endpoint("shop", lambda _: FAILED)
    await put(store, many(2))
    never_leased = await run_sql(url, store, SELECT_BEFORE)
    await relay(store, clock, endpoint).run_once(2)
    assert await run_sql(url, store, SELECT_BEFORE) == never_leased == endpoint.bodies
    endpoint.answer = lambda _: OK
    clock.now += timedelta(days=1)
    await relay(store, clock, endpoint).run_once(2)
    assert endpoint.bodies == never_leased * 2
