"""This engine's statements, by name."""

from __future__ import annotations

from importlib.resources import files

from adapter.store import migrations, statements

SQL = statements.load(files(__package__) / "queries")
MIGRATIONS = migrations.read(files(__package__) / "schema")
