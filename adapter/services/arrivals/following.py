"""Follow the journal as it is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from adapter.model.journal import JournalEntry, JournalRow
from adapter.services.arrivals.filters import NO_PEOPLE, Arrived, MessageFilter
from adapter.store.contract import Store

#: Transactions of other processes may become visible after later ones: so many numbers are looked for again.
AGAIN: Final = 50
_PAGE: Final = 20


class Follower:
    """Reads each row once, from behind the row `after` on."""

    def __init__(self, store: Store, after: int = 0) -> None:
        self._store = store
        self._first = self.after = after
        self._seen: set[int] = {after}

    @classmethod
    async def from_now(cls, store: Store) -> Follower:
        """Return what reads the rows that are written from now on. Raises Unavailable."""
        latest = await store.latest_journal(limit=1)
        return cls(store, max((row.number for row in latest), default=0))

    async def fresh(self, limit: int = _PAGE) -> list[JournalRow]:
        """Return rows that were written meanwhile, in order, by one read. Raises Unavailable."""
        rows = await self._store.fresh_journal(
            max(self.after - AGAIN, self._first), sorted(self._seen), limit
        )
        numbers = {row.number for row in rows}
        self.after = max(self.after, *numbers) if numbers else self.after
        self._seen = {number for number in self._seen | numbers if number > self.after - 2 * AGAIN}
        return rows


async def arrivals(store: Store, wanted: MessageFilter, pause: float | None) -> AsyncIterator[JournalEntry]:
    """Yield the messages that arrive from now on, or since a moment, as they are committed.

    It looks every `pause` seconds; without one it ends with the last message that is there. Raises
    Unavailable.
    """
    follower = await (Follower.from_now(store) if wanted.since is None else _since(store, wanted.since))
    while True:
        rows = await follower.fresh()
        for row in rows:
            for place, entry in enumerate(row.entries()):
                if wanted.takes(Arrived(row.number, place, entry), NO_PEOPLE):
                    yield entry
        if rows:
            continue
        if pause is None:
            return
        await asyncio.sleep(pause)


async def _since(store: Store, moment: datetime) -> Follower:
    first = await store.journal(0, 1, moment)
    return Follower(store, first[0].number - 1) if first else await Follower.from_now(store)
