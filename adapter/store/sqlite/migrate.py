"""Bringing a file's schema up to date."""

from __future__ import annotations

import apsw

from adapter.store.migrations import Migration, pending
from adapter.store.sqlite.connection import transaction

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""


def version(connection: apsw.Connection) -> int:
    """Return the number of the last migration applied, 0 for a new file."""
    known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'").get
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM schema_version").get) if known else 0


def migrate(connection: apsw.Connection, migrations: list[Migration], path: str) -> None:
    """Apply what is missing, all of it or nothing; raises Unavailable for a newer schema."""
    steps = pending(migrations, [version(connection)], path)
    if not steps:
        return
    with transaction(connection):
        connection.execute(_TABLE)
        for step in steps:
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO schema_version (number, name) VALUES (?, ?)", (step.number, step.name)
            )
