"""Bringing a database's schema up to date, one process at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from adapter.store.migrations import Applied, Migration, pending
from adapter.store.postgres.connection import Connection

#: Any number that no other program on this database is likely to lock.
_LOCK = 0x62646973636F756E
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
    """Apply what is missing, all of it or nothing, and return whether the store was new.

    Raises StoreUnavailable for a schema that is too new.
    """
    found = await applied(connection)
    if not pending(migrations, found, store):
        return False
    # On its own, for it locks out whoever asks for the schema, and what follows may take minutes.
    async with _alone(connection):
        await connection.execute(_TABLE)
    async with _alone(connection):
        for step in pending(migrations, await applied(connection), store):
            await connection.execute(step.sql, timeout=600)
            await connection.execute(_RECORD, step.number, step.name, step.spares_older)
    return not found


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Run a transaction while no other process migrates."""
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '60s'")
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=60)
        yield
