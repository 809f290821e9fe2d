"""Bringing a file's schema up to date."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from adapter.store.migrations import Applied, Migration, pending
from adapter.store.sqlite.connection import transaction

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""
#: The first programs made the table without it.
_COLUMN = "ALTER TABLE schema_version ADD COLUMN spares_older INTEGER NOT NULL DEFAULT 0"
_COLUMNS = "SELECT name FROM pragma_table_info('schema_version')"
_APPLIED = "SELECT number, spares_older FROM schema_version ORDER BY number"
_APPLIED_BY_FIRST = "SELECT number, 0 FROM schema_version ORDER BY number"
_RECORD = "INSERT INTO schema_version (number, name, spares_older) VALUES (?, ?, ?)"


def applied(connection: apsw.Connection) -> list[Applied]:
    """Return the migrations that a file has, none for a new one."""
    columns = _columns(connection)
    if not columns:
        return []
    rows = connection.execute(_APPLIED if "spares_older" in columns else _APPLIED_BY_FIRST)
    return [Applied(number, bool(spares)) for number, spares in rows]


def migrate(connection: apsw.Connection, migrations: Sequence[Migration], path: str) -> bool:
    """Apply what is missing, all of it or nothing, and return whether the store is new.

    Raises StoreUnavailable for a schema that is too new.
    """
    found = applied(connection)
    steps = pending(migrations, found, path)
    if not steps:
        return False
    with transaction(connection):
        connection.execute(_TABLE)
        if "spares_older" not in _columns(connection):
            connection.execute(_COLUMN)
        for step in steps:
            connection.execute(step.sql)
            connection.execute(_RECORD, (step.number, step.name, step.spares_older))
    return not found


def _columns(connection: apsw.Connection) -> set[str]:
    return {str(row[0]) for row in connection.execute(_COLUMNS)}
