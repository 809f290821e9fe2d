"""Numbered schema files, forward only: `0001_initial.sql`, `0002_what_it_adds.sql`, ..."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources.abc import Traversable

from msgspec import Struct

from adapter.errors import Unavailable

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")


class Migration(Struct, frozen=True):
    """One step of a schema; `sql` may hold many statements."""

    number: int
    name: str
    sql: str


class Schema(Struct, frozen=True):
    """The number of the last migration `applied` to a store, and of the last one this program has."""

    applied: int
    latest: int


def read(folder: Traversable) -> list[Migration]:
    """Return an engine's migrations in order; they are numbered from 1 without gaps."""
    found = [
        Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := _FILE.match(file.name))
    ]
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations in {folder} are not numbered 1, 2, 3, ...")
    return found


def pending(migrations: list[Migration], applied: Iterable[int], store: str) -> list[Migration]:
    """Return the migrations to apply; raises Unavailable when the store is newer than this program."""
    version = max(applied, default=0)
    if version > len(migrations):
        raise Unavailable(
            f"the store {store} has schema {version}, and this program knows {len(migrations)}: "
            "start the newer program that wrote it"
        )
    return migrations[version:]
