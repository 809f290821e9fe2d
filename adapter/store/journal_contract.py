"""The verbs of the journal, which are part of the contract of a store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from adapter.model.journal import JournalRow
from adapter.store.values import MessageKey


class JournalVerbs(Protocol):
    """What arrived, as it came; `Changes.journal` adds to it."""

    async def add_journal(self, rows: Sequence[JournalRow]) -> None:
        """Append rows, in a transaction of their own."""
        ...

    async def journal(
        self, after: int = 0, limit: int = 20, since: datetime | None = None
    ) -> list[JournalRow]:
        """Return rows with a number above `after`, in the order of their numbers, also of a closed store.

        With `since` there are none whose first message was received before it.
        """
        ...

    async def latest_journal(self, before: int | None = None, limit: int = 20) -> list[JournalRow]:
        """Return rows with a number below `before`, the latest first, also of a closed store."""
        ...

    async def journal_of(self, source_id: str, after: int = 0, limit: int = 20) -> list[JournalRow]:
        """Return rows, in order, in which a message has one of a customer's ids; others stand in them too."""
        ...

    async def latest_journal_of(
        self, source_id: str, before: int | None = None, limit: int = 20
    ) -> list[JournalRow]:
        """Return rows as `journal_of` does, with a number below `before`, the latest first.

        An id that is no customer's is looked for as it is.
        """
        ...

    async def fresh_journal(self, after: int, seen: Sequence[int] = (), limit: int = 20) -> list[JournalRow]:
        """Return rows with a number above `after`, but for those `seen`, in order, also of a closed store."""
        ...

    async def first_seen(self, keys: Sequence[MessageKey]) -> list[datetime]:
        """Return when messages were first committed, of those keys that are known."""
        ...

    async def replace_journal(self, number: int, row: JournalRow | None) -> None:
        """Put what is left of a row in its place, or remove it; a row that is gone stays so."""
        ...

    async def trim_journal(self, before: datetime, most: int) -> int:
        """Delete rows that began before then, and the oldest above `most` bytes; returns how many.

        Rows are deleted a part at a time. Two callers at once may delete a little more than `most` asks for.
        """
        ...
