"""While PostgreSQL is stuck: bounded waiting, 503 with Retry-After, flat memory, and nothing lost at the end.

A SQLite file cannot be stuck for long: after a second its lock is given up, and everyone is told 503.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from adapter.store.engines import open_store
from tests.length import length

#: So many messages, and bytes of bodies, may wait.
MESSAGES = 200
BYTES = 2_000_000
#: So often 30 messages of 60 KB are sent when the queue is full.
WAVES = length(12, 25)
Stuck = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def stuck(postgres_store: str) -> Stuck:
    """Holds a lock for a while, for which every commit must wait, up to 5 seconds."""

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        connection = await asyncpg.connect(postgres_store)
        async with connection.transaction():
            await connection.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
            yield
        await connection.close()

    return locked


@pytest.fixture
def server(start_server: Any, postgres_store: str) -> Any:
    # The limits refuse here, never the wait: a busy machine may take seconds to send all that a test sends.
    limits = {
        "ADAPTER_INGEST_MAX_WAITING": str(MESSAGES),
        "ADAPTER_INGEST_MAX_WAITING_BYTES": str(BYTES),
        "ADAPTER_INGEST_MAX_WAIT_SECONDS": "30",
    }
    return start_server(store=postgres_store, **limits)


@pytest.fixture
async def client(server: Any) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits) as client:
        yield client


def message(name: str, padding: int = 0) -> dict[str, Any]:
    return {
        "type": "track", "event": "Checkout Started", "messageId": name, "userId": f"u-{name}",
        "timestamp": datetime.now(UTC).isoformat(), "properties": {"value": 5, "note": "x" * padding},
    }  # fmt: skip


def sending(client: httpx.AsyncClient, name: str, many: int, padding: int = 0) -> list[asyncio.Task[Any]]:
    each = (message(f"{name}{number}", padding) for number in range(many))
    return [asyncio.create_task(client.post("/webhooks/segment", json=one)) for one in each]


async def until_waiting(client: httpx.AsyncClient, messages: int) -> None:
    """Wait until the server says that so many wait."""
    async with asyncio.timeout(4):
        while f"adapter_waiting_messages {messages:.1f}" not in (await client.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_done(tasks: list[asyncio.Task[Any]], many: int) -> set[asyncio.Task[Any]]:
    """Return the tasks that are done once so many are."""
    async with asyncio.timeout(4):
        while sum(task.done() for task in tasks) < many:  # noqa: ASYNC110 - any of them may be the next
            await asyncio.sleep(0.05)
    return {task for task in tasks if task.done()}


async def checks(client: httpx.AsyncClient) -> tuple[int, dict[str, bool]]:
    answer = await client.get("/health/ready")
    return answer.status_code, {check["name"]: check["ok"] for check in answer.json()["checks"]}


async def test_past_the_limit_senders_receive_503_and_readiness_fails_first(
    client: httpx.AsyncClient, stuck: Stuck
) -> None:
    assert (await client.post("/webhooks/segment", json=message("first"))).status_code == 200
    async with stuck():
        waiting = sending(client, "a", MESSAGES * 9 // 10)
        await until_waiting(client, MESSAGES * 9 // 10)
        assert not any(task.done() for task in waiting)
        status, found = await checks(client)
        assert (status, found["queue"]) == (503, False)
        assert (await client.get("/health/live")).status_code == 200
        more = sending(client, "b", MESSAGES)
        turned_away = await until_done(more, MESSAGES - MESSAGES // 10)
        answers = [task.result() for task in turned_away]
        assert len(answers) == MESSAGES - MESSAGES // 10
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
        assert {answer.json()["error"]["code"] for answer in answers} == {"unavailable"}
    done = await asyncio.gather(*waiting, *(set(more) - turned_away))
    assert [answer.status_code for answer in done] == [200] * MESSAGES
    assert (await checks(client))[0] == 200


async def test_long_messages_fill_the_queue_by_their_bytes_and_memory_stays_flat(
    server: Any, client: httpx.AsyncClient, stuck: Stuck
) -> None:
    async with stuck():
        # A body of more than 64 KB would wait for its turn instead. The last one taken fills the queue.
        waiting = sending(client, "a", 50, padding=60_000)
        refused = 50 - (BYTES // 60_000 + 1)
        await until_done(waiting, refused)
        await asyncio.sleep(0.2)
        assert sum(task.done() for task in waiting) == refused
        resident = []
        for wave in range(WAVES):
            answers = await asyncio.gather(*sending(client, f"w{wave}-", 30, padding=60_000))
            assert {answer.status_code for answer in answers} == {503}
            resident.append(server.resident)
        grown = resident[-1] - resident[4]
    await asyncio.gather(*waiting)
    turned_away = (WAVES - 5) * 30 * 60_000
    assert grown < turned_away / 4, f"{turned_away:,} bytes were turned away, {grown:,} of them stayed"


async def test_stopping_settles_queued_messages_and_keeps_all_acknowledged_ones(
    server: Any, client: httpx.AsyncClient, stuck: Stuck, postgres_store: str
) -> None:
    async with stuck():
        waiting = sending(client, "a", MESSAGES // 2)
        await until_waiting(client, MESSAGES // 2)
        server.terminate()
        await asyncio.sleep(0.7)
        assert not any(task.done() for task in waiting)
    answers = await asyncio.gather(*waiting)
    assert [answer.status_code for answer in answers] == [200] * (MESSAGES // 2)
    await asyncio.to_thread(server.stop)
    store = open_store(postgres_store)
    await store.open()
    stored = [len(await store.events(f"u-a{number}")) for number in range(MESSAGES // 2)]
    await store.close()
    assert stored == [1] * (MESSAGES // 2)
