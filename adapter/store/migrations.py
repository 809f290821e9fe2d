"""Numbered schema files, forward only: `0001_initial.sql`, `0002_what_it_adds.sql`, ...

Each after the first says whether the programs before it still do all they do, erasures too, on a store that
has it: a line `-- older programs: may go on`, or `-- older programs: must not start`. The store remembers it,
so that an older program which is started again while newer ones run knows of migrations that came after it.

A line `-- beside traffic` makes each statement run outside of a transaction, so that an index can be built
while older programs write. Such a file must come to the same when it is run again after it was interrupted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources.abc import Traversable

from msgspec import Struct

from adapter.errors import StoreUnavailable

_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql\Z")
_BESIDE_TRAFFIC = re.compile(r"^-- beside traffic$", re.MULTILINE)
_OLDER = re.compile(r"^-- older programs: (may go on|must not start)$", re.MULTILINE)


class Migration(Struct, frozen=True):
    """One step of a schema; `sql` may hold many statements, `spares_older` lets programs before it go on.

    With `beside_traffic` each statement runs by itself, outside of a transaction.
    """

    number: int
    name: str
    sql: str
    spares_older: bool = False
    beside_traffic: bool = False

    @property
    def statements(self) -> list[str]:
        """Return the statements one by one; none of them may hold a semicolon."""
        lines = (line for line in self.sql.splitlines() if not line.startswith("--"))
        return [text for part in "\n".join(lines).split(";") if (text := part.strip())]


class Applied(Struct, frozen=True):
    """What a store remembers of a migration; where it remembers nothing, older programs must not start."""

    number: int
    spares_older: bool


class Schema(Struct, frozen=True):
    """The number of the last migration `applied` to a store, and of the last one this program has.

    `usable` is whether this program may use the store, once it has applied what is missing.
    """

    applied: int
    latest: int
    usable: bool = True


def read(folder: Traversable) -> list[Migration]:
    """Return an engine's migrations in order.

    Raises ValueError unless they are numbered from 1 without gaps, and each says what older programs may do.
    """
    found = [
        _migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if (match := _FILE.match(file.name))
    ]
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations in {folder} are not numbered 1, 2, 3, ...")
    return found


def compared(migrations: Sequence[Migration], applied: Sequence[Applied]) -> Schema:
    """Return how a store's schema and that of this program stand to each other."""
    latest = len(migrations)
    usable = all(step.spares_older for step in applied if step.number > latest)
    return Schema(max((step.number for step in applied), default=0), latest, usable)


def pending(migrations: Sequence[Migration], applied: Sequence[Applied], store: str) -> Sequence[Migration]:
    """Return the migrations to apply; raises StoreUnavailable when the store is too new for this program."""
    schema = compared(migrations, applied)
    if not schema.usable:
        raise StoreUnavailable(
            f"the store {store} has schema {schema.applied}, and this program knows {schema.latest}: "
            "start the newer program that wrote it"
        )
    return migrations[schema.applied :]


def _migration(number: int, name: str, sql: str) -> Migration:
    said = _OLDER.search(sql)
    if number > 1 and said is None:
        raise ValueError(
            f"migration {number} does not say `-- older programs: may go on` or `must not start`"
        )
    spares_older = said is not None and said[1] == "may go on"
    return Migration(number, name, sql, spares_older, _BESIDE_TRAFFIC.search(sql) is not None)
