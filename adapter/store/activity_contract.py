"""The verbs of activity, which are part of the contract of a store: how much happened, by span of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from adapter.model.activity import ActivityCount
from adapter.model.ignored import Ignored

#: Rows that one transaction deletes.
TRIMMED = 1_000


class ActivityVerbs(Protocol):
    """Series of counts, to which all processes add."""

    async def add_activity(self, counted: Sequence[ActivityCount]) -> None:
        """Add amounts to their series, in a transaction of their own."""
        ...

    async def activity(
        self, names: Sequence[str], since: datetime, until: datetime, step: timedelta
    ) -> list[ActivityCount]:
        """Return series by name and time, from `since` on and before `until`.

        Amounts are summed by spans of `step`, which begin at multiples of it since 1970; spans in which
        nothing happened are left out.
        """
        ...

    async def trim_activity(self, before: datetime, names: Sequence[str] | None = None) -> int:
        """Delete what began before then, of those series or of all; returns how many rows.

        Rows are deleted a part at a time.
        """
        ...

    async def add_ignored(self, counted: Sequence[Ignored], most: int, before: datetime | None) -> None:
        """Add counts of messages that no mapping takes to those of the same source, type and event.

        Of more than `most` kinds those go that were not seen for longest, and any not seen since `before`.
        """
        ...

    async def ignored(self, limit: int = 100) -> list[Ignored]:
        """Return which messages no mapping takes, the latest first."""
        ...
