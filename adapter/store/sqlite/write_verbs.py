"""What callers have the SQLite store write, each in a transaction of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import apsw

from adapter.model.ignored import Ignored
from adapter.store.checkout_values import FailedBy
from adapter.store.rows import digest_slices
from adapter.store.sqlite import addresses, outbox
from adapter.store.sqlite.reads import Reads
from adapter.store.sqlite.redemptions import add_pool_codes
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros
from adapter.store.values import Forgotten, RetentionKind

T = TypeVar("T")


class WriteVerbs(ABC):
    """The writing verbs of `adapter.store.contract.Store`; the engine says how a write runs."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a write in a transaction of its own."""

    @abstractmethod
    async def _read(self, work: Callable[[Reads], T]) -> T:
        """Run a query of an open store."""

    async def note_addresses(self, limit: int) -> bool:
        """Index the addresses of some customers."""
        if await self._read(lambda reads: reads.noted()):
            return True
        return await self._write(lambda connection: addresses.note_some(connection, limit))

    async def finish_erasure(self, done: Forgotten, removed: Mapping[str, int]) -> None:
        """Delete the names of an erasure."""
        await self._write(lambda connection: addresses.finish(connection, done, removed))

    async def add_ignored(self, counted: Sequence[Ignored], most: int, before: datetime | None) -> None:
        """Add counts of messages that no mapping takes."""
        await self._write(lambda connection: outbox.add_ignored(connection, counted, most, before))

    async def add_pool_codes(self, pool: str, codes: Sequence[str], now: datetime) -> list[str]:
        """Add codes to a pool."""
        return await self._write(lambda connection: add_pool_codes(connection, pool, codes, now))

    async def add_failed_codes(
        self, by: Sequence[FailedBy], wrong: int, now: datetime, before: datetime
    ) -> None:
        """Add wrong codes."""
        rows = [(*each, wrong, micros(now), micros(before)) for each in by]
        await self._write(lambda connection: connection.executemany(SQL["add_failed_codes"], rows))

    async def release_quarantined(self, ids: Sequence[int]) -> int:
        """Delete quarantine entries."""
        return await self._write(lambda connection: outbox.release_quarantined(connection, ids))

    async def purge_dedupe_keys(self, before: datetime) -> int:
        """Drop old dedupe keys, a slice at a time so that requests are not held up."""
        gone = 0
        for lower, upper in digest_slices():
            gone += await self._purge_slice(lower, upper, before)
        return gone

    async def purge(self, kind: RetentionKind, before: datetime) -> int:
        """Drop what is older than that, a span of rows at a time."""
        spans = await self._write(lambda connection: outbox.spans(connection, kind))
        return sum([await self._purge_span(kind, span, before) for span in spans])

    async def _purge_span(self, kind: RetentionKind, span: tuple[int, int], before: datetime) -> int:
        return await self._write(lambda connection: outbox.purge_span(connection, kind, span, before))

    async def _purge_slice(self, lower: bytes, upper: bytes, before: datetime) -> int:
        return await self._write(lambda connection: outbox.purge_slice(connection, lower, upper, before))
