"""The journal of what arrived."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from adapter.model.journal import JournalRow
from adapter.store.erasures import name_digests
from adapter.store.journal_rows import TRIMMED, digests_in, dropped, journal_columns
from adapter.store.postgres.connection import Connection, transaction
from adapter.store.postgres.reads import Reads
from adapter.store.postgres.statements import SQL
from adapter.store.values import MessageKey

T = TypeVar("T")


async def add_journal(connection: Connection, rows: Iterable[JournalRow]) -> None:
    """Append rows with the ids that their messages have; runs inside a transaction."""
    for row in rows:
        digests = name_digests(row.names)
        await connection.execute(SQL["add_journal"], *journal_columns(row, digests), digests)


async def _add(connection: Connection, rows: Sequence[JournalRow]) -> None:
    async with transaction(connection):
        await add_journal(connection, rows)


async def _replace(connection: Connection, number: int, row: JournalRow | None) -> None:
    if row is not None:
        await connection.execute(SQL["replace_journal"], number, len(row.data), row.data)
        return
    async with transaction(connection):
        found = await connection.fetch(SQL["journal_names_of"], number)
        await _drop(connection, [(number, names, 0) for (names,) in found])


async def _drop(connection: Connection, rows: Sequence[tuple[int, bytes, int]]) -> None:
    named = [(name, number) for number, names, _ in rows for name in digests_in(names)]
    if named:
        names, numbers = zip(*named, strict=True)
        await connection.execute(SQL["drop_journal_names"], list(names), list(numbers))
    await connection.fetch(SQL["drop_journal"], [number for number, _, _ in rows])


async def _trim(connection: Connection, before: datetime, excess: int) -> tuple[int, int]:
    """Delete some rows, and return how many, and how many bytes they had."""
    async with transaction(connection):
        oldest = [tuple(row) for row in await connection.fetch(SQL["oldest_journal"], TRIMMED)]
        gone = dropped(oldest, before, excess)
        await _drop(connection, gone)
    return len(gone), sum(size for _, _, size in gone)


async def _size(connection: Connection) -> int:
    return int(await connection.fetchval(SQL["journal_size"]))


class JournalVerbs(ABC):
    """These verbs of `adapter.store.contract.Store`; the engine says on which connection they run."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    @abstractmethod
    async def _read_or_peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection, also while the store is closed."""

    async def add_journal(self, rows: Sequence[JournalRow]) -> None:
        """Append rows."""
        await self._read(lambda connection: _add(connection, rows))

    async def journal(
        self, after: int = 0, limit: int = 20, since: datetime | None = None
    ) -> list[JournalRow]:
        """Return rows after a number."""
        return await self._read_or_peek(lambda connection: Reads(connection).journal(after, limit, since))

    async def latest_journal(self, before: int | None = None, limit: int = 20) -> list[JournalRow]:
        """Return rows before a number, the latest first."""
        return await self._read_or_peek(lambda connection: Reads(connection).latest_journal(before, limit))

    async def journal_of(self, source_id: str, after: int = 0, limit: int = 20) -> list[JournalRow]:
        """Return rows that have one of a customer's ids."""
        return await self._read(lambda connection: Reads(connection).journal_of(source_id, after, limit))

    async def latest_journal_of(
        self, source_id: str, before: int | None = None, limit: int = 20
    ) -> list[JournalRow]:
        """Return rows that have one of a customer's ids, the latest first."""
        return await self._read(
            lambda connection: Reads(connection).latest_journal_of(source_id, before, limit)
        )

    async def fresh_journal(self, after: int, seen: Sequence[int] = (), limit: int = 20) -> list[JournalRow]:
        """Return rows after a number, except those named."""
        return await self._read_or_peek(
            lambda connection: Reads(connection).fresh_journal(after, seen, limit)
        )

    async def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were first committed."""
        return await self._read(lambda connection: Reads(connection).first_seen(keys))

    async def replace_journal(self, number: int, row: JournalRow | None) -> None:
        """Replace or remove a row."""
        await self._read(lambda connection: _replace(connection, number, row))

    async def trim_journal(self, before: datetime, most: int) -> int:
        """Delete old rows, and the oldest of too many."""
        excess, count = await self._read(_size) - most, 0
        while True:
            gone, freed = await self._read(partial(_trim, before=before, excess=excess))
            excess, count = excess - freed, count + gone
            if gone < TRIMMED:
                return count
