"""Reads of what arrived: the journal, the quarantine, and what no mapping takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter.model.ignored import Ignored
from adapter.model.journal import JournalRow
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.store.journal_rows import read_journal
from adapter.store.paging import LAST_ID
from adapter.store.postgres.reading import Reading
from adapter.store.rows import digest
from adapter.store.timestamps import micros, moment
from adapter.store.unmapped_rows import read_excerpt, read_ignored, read_quarantined
from adapter.store.values import MessageKey


class ArrivalReads(Reading):
    """See the contract for what each returns."""

    async def quarantined(self, after: int, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages after an id."""
        return [read_excerpt(row) for row in await self._rows("quarantined", after, limit)]

    async def latest_quarantined(self, before: int | None, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages before an id, the latest first."""
        rows = await self._rows("latest_quarantined", LAST_ID if before is None else before, limit)
        return [read_excerpt(row) for row in rows]

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        rows = await self._rows("quarantined_message", id_)
        return read_quarantined(rows[0]) if rows else None

    async def quarantined_of(self, name: str, limit: int) -> list[Excerpt]:
        """Return excerpts of quarantined messages that name a person, the latest first."""
        async with self._snapshot():
            names = await self._digests_of(name)
            return [read_excerpt(row) for row in await self._rows("quarantined_of", names, limit)]

    async def journal(self, after: int, limit: int, since: datetime | None) -> list[JournalRow]:
        """Return rows of the journal after a number, none from before a moment."""
        async with self._snapshot():
            if since is not None:
                after = max(after, (await self._rows("journal_start", micros(since)))[0][0])
            rows = await self._rows("journal", after, limit, micros(since) if since else 0)
        return [read_journal(row) for row in rows]

    async def latest_journal(self, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal before a number, the latest first."""
        rows = await self._rows("latest_journal", LAST_ID if before is None else before, limit)
        return [read_journal(row) for row in rows]

    async def journal_of(self, name: str, after: int, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person."""
        async with self._snapshot():
            names = await self._digests_of(name)
            return [read_journal(row) for row in await self._rows("journal_of", names, after, limit)]

    async def latest_journal_of(self, name: str, before: int | None, limit: int) -> list[JournalRow]:
        """Return rows of the journal that have an id of a person, the latest first."""
        async with self._snapshot():
            names, upto = await self._digests_of(name), LAST_ID if before is None else before
            return [read_journal(row) for row in await self._rows("latest_journal_of", names, upto, limit)]

    async def fresh_journal(self, after: int, seen: Sequence[int], limit: int) -> list[JournalRow]:
        """Return rows of the journal after a number, except those named."""
        return [read_journal(row) for row in await self._rows("fresh_journal", after, list(seen), limit)]

    async def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were committed."""
        return [moment(row[0]) for row in await self._rows("first_seen", list(map(digest, keys)))]

    async def ignored(self, limit: int) -> list[Ignored]:
        """Return what no mapping takes, the latest first."""
        return [read_ignored(row) for row in await self._rows("ignored", limit)]
