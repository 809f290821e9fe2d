"""Bringing a database's schema up to date, one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapter.errors import StoreUnavailable
from adapter.store.migrations import Applied, Migration, pending
from adapter.store.postgres.connection import Connection, transaction

#: Any number that no other program on this database is likely to lock.
_LOCK = 0x62646973636F756E
#: Seconds that a step may take.
_LONG = 3_600
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE schema_version ADD COLUMN IF NOT EXISTS spares_older boolean NOT NULL DEFAULT false
"""
#: The first programs made the table without `spares_older`.
_APPLIED = """
SELECT number, coalesce((to_jsonb(step) ->> 'spares_older')::boolean, false) AS spares_older
FROM schema_version AS step ORDER BY number
"""
_RECORD = "INSERT INTO schema_version (number, name, spares_older) VALUES ($1, $2, $3)"


async def applied(connection: Connection) -> list[Applied]:
    """Return the migrations that a database has, none for a new one."""
    if await connection.fetchval("SELECT to_regclass('schema_version') IS NULL"):
        return []
    return [Applied(*row) for row in await connection.fetch(_APPLIED)]


async def migrate(connection: Connection, migrations: Sequence[Migration], store: str) -> bool:
    """Apply what is missing, each step all of it or nothing, and return whether the store was new.

    Raises StoreUnavailable for a schema that is too new.
    """
    found = await applied(connection)
    if not pending(migrations, found, store):
        return False
    async with _alone(connection):
        await connection.execute(_TABLE)
        for step in pending(migrations, await applied(connection), store):
            await _apply(connection, step)
    return not found


async def _apply(connection: Connection, step: Migration) -> None:
    record = (step.number, step.name, step.spares_older)
    if step.beside_traffic:
        # Such a statement waits for every transaction that was there before it, however long that takes.
        await connection.execute("SET lock_timeout = 0")
        for statement in step.statements:
            await connection.execute(statement, timeout=_LONG)
        await connection.execute(_RECORD, *record)
        return
    async with transaction(connection):
        await connection.execute("SET LOCAL lock_timeout = '60s'")
        await connection.execute(step.sql, timeout=_LONG)
        await connection.execute(_RECORD, *record)


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Exclude migrations by other processes.

    The lock is polled: a process that waits for it inside a statement would block an index that is built
    concurrently, which waits for all open statements.
    """
    try:
        async with asyncio.timeout(_LONG):
            while not await connection.fetchval(f"SELECT pg_try_advisory_lock({_LOCK})"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        message = "another process has been migrating the store for an hour; see what keeps it"
        raise StoreUnavailable(message) from error
    try:
        yield
    finally:
        if not connection.is_closed():
            await connection.execute("RESET lock_timeout")
            await connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")
