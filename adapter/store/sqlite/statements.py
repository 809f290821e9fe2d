"""This engine's statements, by name."""

from __future__ import annotations

from importlib.resources import files

from adapter.store import migrations, statements
from adapter.store.tables import customer_sql, redaction_sql, retention_sql
from adapter.store.tables.registry import TABLES

#: Those of `queries/`, and those that follow from the descriptions of tables.
SQL = (
    statements.load(files(__package__) / "queries")
    | customer_sql.statements(TABLES, "sqlite")
    | retention_sql.statements(TABLES, "sqlite")
)
REDACTIONS = redaction_sql.redactions(TABLES, "sqlite")
MIGRATIONS = migrations.read(files(__package__) / "schema")
