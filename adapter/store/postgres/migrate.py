"""Bringing a database's schema up to date, one process at a time."""

from __future__ import annotations

from adapter.store.migrations import Migration, pending
from adapter.store.postgres.connection import Connection

#: Any number that no other program on this database is likely to lock.
_LOCK = 0x62646973636F756E
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


async def versions(connection: Connection) -> list[int]:
    """Return the numbers of the migrations applied, none for a new database."""
    if await connection.fetchval("SELECT to_regclass('schema_version') IS NULL"):
        return []
    return [row[0] for row in await connection.fetch("SELECT number FROM schema_version ORDER BY number")]


async def migrate(connection: Connection, migrations: list[Migration], store: str) -> None:
    """Apply what is missing, all of it or nothing; raises Unavailable for a newer schema."""
    if not pending(migrations, await versions(connection), store):
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '60s'")
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=60)
        await connection.execute(_TABLE)
        for step in pending(migrations, await versions(connection), store):
            await connection.execute(step.sql, timeout=600)
            await connection.execute(
                "INSERT INTO schema_version (number, name) VALUES ($1, $2)", step.number, step.name
            )
