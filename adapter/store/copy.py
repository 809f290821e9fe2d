"""Copies a store into another: a page at a time, resumable, verified.

The source must not be written to meanwhile (stop the adapter; a SQLite file is locked by being opened).
Each page is committed with its position, so an interrupted copy continues from there. Until the copy is
finished the target stores a fingerprint of its source, and is opened for nothing else.

At the end the source is marked: then it can only be copied again or reopened, because two stores in use
would each allow all that the limits allow once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from adapter.errors import Refused, StoreUnavailable, Unavailable
from adapter.store.tables.copy_sql import Row
from adapter.store.tables.description import Table
from adapter.store.tables.operation_tables import SECRETS
from adapter.store.tables.registry import COPIED

_PAGE = 2_000
#: The entry of the target that names its source.
_SOURCE = "source"
#: The entry of the source that says where it was copied, and when.
_COPIED = "copied_to"


class CopyEndpoint(Protocol):
    """One end of a copy: what an engine can do with whole tables."""

    def key(self, table: Table) -> tuple[str, ...]:
        """Return the columns by which this engine reads a table in order."""
        ...

    async def page(self, table: Table, after: Row | None, limit: int) -> list[Row]:
        """Return the rows after a key, in its order."""
        ...

    async def put(self, table: Table, rows: list[Row], reached: str) -> None:
        """Insert rows and note how far they reach, in one transaction."""
        ...

    async def clear(self, table: Table) -> None:
        """Delete the rows of a table."""
        ...

    async def reach(self, name: str, reached: str) -> None:
        """Store the position of a table, or another entry."""
        ...

    async def reached(self, name: str) -> str | None:
        """Return the position of a table, or another entry; None if there is none."""
        ...

    async def sums(self, table: Table) -> tuple[int, ...]:
        """Return the row count, and per column the sum of its numbers or lengths in bytes."""
        ...

    async def clear_note(self, name: str) -> None:
        """Delete an entry."""
        ...

    async def finish(self) -> None:
        """Make the store ready for use, and delete the positions."""
        ...


class Copyable(Protocol):
    """An open store of any engine."""

    def end(self) -> CopyEndpoint:
        """Return the store as one end of a copy."""
        ...


#: Called with a table's name, the rows copied of it so far, and the rows it has.
Progress = Callable[[str, int, int], None]


async def copy(source: Copyable, target: Copyable, progress: Progress, into: str) -> dict[str, int]:
    """Copy all tables, verify each by count and sums, mark the source, and return the row counts.

    `into` is what the source notes of the target: its URL as it may be shown, and the time. Raises Refused
    when the source is itself part of a copy, or the target holds other data or part of another source, and
    Unavailable when an end cannot be used or the two differ in the end; the source is then not marked.
    """
    origin, goal = source.end(), target.end()
    if await origin.reached(_SOURCE) is not None:
        raise Refused("the source holds an unfinished copy: finish that copy first, or name another source")
    sums = {table.name: await origin.sums(table) for table in COPIED}
    counts = {name: each[0] for name, each in sums.items()}
    await _begin(goal, _fingerprint(sums))
    for table in COPIED:
        await _copy_table(origin, goal, table, counts[table.name], progress)
    for table in COPIED:
        await _verify(origin, goal, table)
    await origin.reach(_COPIED, into)
    await goal.finish()
    return counts


async def reopen(store: Copyable) -> bool:
    """Make a store that was copied usable again; returns whether it was copied."""
    end = store.end()
    if await end.reached(_COPIED) is None:
        return False
    await end.clear_note(_COPIED)
    return True


def expect_usable(store: str, noted: Mapping[str, str]) -> None:
    """Raise StoreUnavailable for a store that holds part of a copy, or that was copied into another."""
    if into := noted.get(_COPIED):
        raise StoreUnavailable(
            f"the store {store} was copied into {into}, and is not used any more: name that "
            "store, or make this one usable again with `adapter store reopen`"
        )
    if noted:
        raise StoreUnavailable(
            f"the store {store} holds an unfinished copy: run `adapter store copy` again with the same "
            "source, or name another store"
        )


def taken(table: str) -> Refused:
    """Return the error for rows whose keys a table of the target has already."""
    return Refused(
        f"the target holds {table} that this copy did not put there: see that nothing else writes to it, "
        "and copy into a new, empty store"
    )


def _fingerprint(sums: Mapping[str, tuple[int, ...]]) -> str:
    """Return a value that differs between sources, and after each write to one."""
    return sha256(msgspec.json.encode(sums, order="sorted")).hexdigest()


async def _begin(goal: CopyEndpoint, source: str) -> None:
    begun = await goal.reached(_SOURCE)
    if begun is None:
        await _expect_empty(goal)
        await goal.clear(SECRETS)  # which the target had made when it was first opened
        await goal.reach(_SOURCE, source)
    elif begun != source:
        raise Refused(
            "the target holds part of a copy of another store, or of this one as it was before something "
            "wrote to it: name the source with which it was begun, or copy into a new, empty store"
        )


async def _expect_empty(goal: CopyEndpoint) -> None:
    for table in COPIED:
        if table is not SECRETS and (await goal.sums(table))[0]:
            raise Refused(f"the target holds {table.name} already: copy into a new, empty store")


async def _copy_table(
    origin: CopyEndpoint, goal: CopyEndpoint, table: Table, total: int, progress: Progress
) -> None:
    at = [table.index(name) for name in origin.key(table)]
    after = _read_key(await goal.reached(table.name), table, at)
    copied = (await goal.sums(table))[0] if after else 0
    progress(table.name, copied, total)
    while rows := await origin.page(table, after, _PAGE):
        after = tuple(rows[-1][index] for index in at)
        await goal.put(table, rows, msgspec.json.encode(after).decode())
        copied += len(rows)
        progress(table.name, copied, total)


def _read_key(reached: str | None, table: Table, at: list[int]) -> Row | None:
    if reached is None:
        return None
    kinds: dict[str, Any] = {"text": str, "bytes": bytes, "number": int, "boolean": bool}
    types = tuple(kinds[table.columns[index].kind] for index in at)
    return tuple(
        msgspec.convert(value, kind) for value, kind in zip(msgspec.json.decode(reached), types, strict=True)
    )


async def _verify(origin: CopyEndpoint, goal: CopyEndpoint, table: Table) -> None:
    ours, theirs = await origin.sums(table), await goal.sums(table)
    if ours != theirs:
        raise Unavailable(
            f"the copy of {table.name} differs from its source (counts and sums {theirs}, not {ours}): "
            "see that nothing writes to either store, and copy into a new, empty one"
        )
