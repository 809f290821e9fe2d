"""This engine's statements, by name."""

from __future__ import annotations

from importlib.resources import files

from adapter.store import migrations, statements
from adapter.store.tables import customer_sql, redaction_sql, retention_sql
from adapter.store.tables.registry import TABLES

#: Those of `queries/`, and those that follow from the descriptions of tables.
SQL = (
    statements.load(files(__package__) / "queries")
    | customer_sql.statements(TABLES, "postgres")
    | retention_sql.statements(TABLES, "postgres")
)
REDACTIONS = redaction_sql.redactions(TABLES, "postgres")
MIGRATIONS = migrations.read(files(__package__) / "schema")
