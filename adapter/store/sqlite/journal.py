"""The journal of what arrived."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import apsw

from adapter.model.journal import JournalRow
from adapter.store.erasures import name_digests
from adapter.store.journal_rows import TRIMMED, digests_in, dropped, journal_columns
from adapter.store.sqlite.reads import Reads
from adapter.store.sqlite.statements import SQL
from adapter.store.values import MessageKey

T = TypeVar("T")


def add_journal(connection: apsw.Connection, rows: Iterable[JournalRow]) -> None:
    """Append rows with the ids that their messages have; runs inside a transaction."""
    for row in rows:
        digests = name_digests(row.names)
        connection.execute(SQL["add_journal"], journal_columns(row, digests))
        number = connection.last_insert_rowid()
        connection.executemany(SQL["add_journal_name"], [(digest, number) for digest in digests])


def _replace(connection: apsw.Connection, number: int, row: JournalRow | None) -> None:
    if row is not None:
        connection.execute(SQL["replace_journal"], (number, len(row.data), row.data))
        return
    rows: list[Any] = connection.execute(SQL["journal_names_of"], (number,)).fetchall()
    _drop(connection, [(number, names, 0) for (names,) in rows])


def _drop(connection: apsw.Connection, rows: Sequence[tuple[int, bytes, int]]) -> None:
    named = [(name, number) for number, names, _ in rows for name in digests_in(names)]
    connection.executemany(SQL["drop_journal_name"], named)
    connection.executemany(SQL["drop_journal"], [(number,) for number, _, _ in rows])


def _trim(connection: apsw.Connection, before: datetime, excess: int) -> tuple[int, int]:
    """Delete some rows, and return how many, and how many bytes they had."""
    oldest: list[Any] = connection.execute(SQL["oldest_journal"], (TRIMMED,)).fetchall()
    gone = dropped(oldest, before, excess)
    _drop(connection, gone)
    return len(gone), sum(size for _, _, size in gone)


class JournalVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says how reads and writes run."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a write in a transaction of its own."""

    @abstractmethod
    async def _read(self, work: Callable[[Reads], T]) -> T:
        """Run a read."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Reads], T]) -> T:
        """Run a read, also while the store is closed, and open elsewhere."""

    async def add_journal(self, rows: Sequence[JournalRow]) -> None:
        """Append rows."""
        await self._write(lambda connection: add_journal(connection, rows))

    async def journal(
        self, after: int = 0, limit: int = 20, since: datetime | None = None
    ) -> list[JournalRow]:
        """Return rows after a number."""
        return await self._read_or_peek(lambda reads: reads.journal(after, limit, since))

    async def latest_journal(self, before: int | None = None, limit: int = 20) -> list[JournalRow]:
        """Return rows before a number, the latest first."""
        return await self._read_or_peek(lambda reads: reads.latest_journal(before, limit))

    async def journal_of(self, source_id: str, after: int = 0, limit: int = 20) -> list[JournalRow]:
        """Return rows that have one of a customer's ids."""
        return await self._read(lambda reads: reads.journal_of(source_id, after, limit))

    async def latest_journal_of(
        self, source_id: str, before: int | None = None, limit: int = 20
    ) -> list[JournalRow]:
        """Return rows that have one of a customer's ids, the latest first."""
        return await self._read(lambda reads: reads.latest_journal_of(source_id, before, limit))

    async def fresh_journal(self, after: int, seen: Sequence[int] = (), limit: int = 20) -> list[JournalRow]:
        """Return rows after a number, except those named."""
        return await self._read_or_peek(lambda reads: reads.fresh_journal(after, seen, limit))

    async def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were first committed."""
        return await self._read(lambda reads: reads.first_seen(keys))

    async def replace_journal(self, number: int, row: JournalRow | None) -> None:
        """Replace or remove a row."""
        await self._write(lambda connection: _replace(connection, number, row))

    async def trim_journal(self, before: datetime, most: int) -> int:
        """Delete old rows, and the oldest of too many."""
        excess, count = await self._read(Reads.journal_size) - most, 0
        while True:
            gone, freed = await self._write(partial(_trim, before=before, excess=excess))
            excess, count = excess - freed, count + gone
            if gone < TRIMMED:
                return count
