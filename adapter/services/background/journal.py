"""Append to the journal what waits without a commit, and keep it within its days and bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from adapter.services.ingest.journal import Journal
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

_MEGABYTE = 1_000_000


class JournalUpkeep:
    """Appends every `interval`; trims every `trim` to `keep` and `max_mb`. Several processes may do so."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        clock: Callable[[], datetime],
        *,
        keep: timedelta,
        max_mb: int,
        interval: timedelta = timedelta(seconds=1),
        trim: timedelta = timedelta(minutes=1),
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._keep = keep
        self._most = max_mb * _MEGABYTE
        self._interval = interval
        self._trim = trim

    async def add(self) -> None:
        """Append what waits; it waits on when the store is unavailable. Raises Unavailable."""
        with self._journal.recording() as record:
            rows = record([], [], []) if record is not None else ()
            if rows:
                await self._store.add_journal(rows)

    async def trim(self) -> int:
        """Delete what is too old or too much; returns the number of rows. Raises Unavailable."""
        return await self._store.trim_journal(self._clock() - self._keep, self._most)

    async def run(self, stop: asyncio.Event) -> None:
        """Append and trim until `stop` is set, and then append once more."""
        trimmed = None
        while not stop.is_set():
            now = self._clock()
            if trimmed is None or now - trimmed >= self._trim:
                await tried("trim the journal", self.trim)
                trimmed = now
            await pause(stop, self._interval)
            await tried("append to the journal", self.add)
