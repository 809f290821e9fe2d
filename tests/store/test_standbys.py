"""While no standby follows, what only the leader has is not acknowledged, however often it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from adapter.errors import Unavailable
from adapter.store.values import LoadedState, LoadRequest

MESSAGE = ("s", "m")
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"


@pytest.fixture
def store_url(mortal_database: str) -> str:
    """On a server of these tests: they change its settings."""
    return mortal_database


@pytest.fixture
async def leader(store: Any, store_url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection to the server, which waits for a standby that is not there until it is told otherwise."""
    await store.ping()
    connection = await asyncpg.connect(store_url)
    await name_standbys(connection, "nobody")
    await until_commits_wait(store_url)
    yield connection
    await name_standbys(connection, "")
    await connection.close()


async def name_standbys(connection: asyncpg.Connection[Any], names: str) -> None:
    await connection.execute("SET synchronous_commit = local")
    await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
    await connection.execute("SELECT pg_reload_conf()")
    while await connection.fetchval("SHOW synchronous_standby_names") != names:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def until_commits_wait(url: str) -> None:
    """The server's processes hear of a setting one after the other."""
    connection = await asyncpg.connect(url)
    with suppress(TimeoutError):
        while True:
            await connection.execute("SELECT pg_logical_emit_message(true, 'test', '')", timeout=0.2)
    await connection.close()


async def waiting(connection: asyncpg.Connection[Any]) -> int:
    """Return the process that waits for a standby, once one does."""
    async with asyncio.timeout(60):
        while (pid := await connection.fetchval(_WAITING)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return int(pid)


async def test_a_commit_that_is_cut_off_is_not_acknowledged_and_neither_is_its_repetition(
    leader: asyncpg.Connection[Any], run: Any
) -> None:
    first = asyncio.create_task(run.save(LoadRequest(messages=[MESSAGE])))
    await leader.execute("SELECT pg_cancel_backend($1)", await waiting(leader))
    with pytest.raises(Unavailable, match="waited for a standby"):
        await first
    again: asyncio.Task[LoadedState] = asyncio.create_task(run.load(messages=[MESSAGE]))
    await waiting(leader)
    assert not again.done()
    await name_standbys(leader, "")
    assert MESSAGE in (await again).answers


async def test_a_leader_whose_commits_wait_is_not_ready(leader: asyncpg.Connection[Any], store: Any) -> None:
    ping = asyncio.create_task(store.ping())
    await waiting(leader)
    await name_standbys(leader, "")
    await ping
