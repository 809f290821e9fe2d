"""Activity in PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from adapter.model.activity import ActivityCount
from adapter.store.activity_contract import TRIMMED
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.text import arrays
from adapter.store.timestamps import micros, moment, span

T = TypeVar("T")


class ActivityVerbs(ABC):
    """The verbs of `adapter.store.activity_contract.ActivityVerbs`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def add_activity(self, counted: Sequence[ActivityCount]) -> None:
        """Add amounts to their series; the same order in all processes, so that none waits in a circle."""
        rows = sorted((each.name, micros(each.at), each.amount) for each in counted)
        given = arrays(rows, width=3)
        await self._read(lambda connection: connection.execute(SQL["add_activity"], *given))

    async def activity(
        self, names: Sequence[str], since: datetime, until: datetime, step: timedelta
    ) -> list[ActivityCount]:
        """Return series by name and time."""
        asked = list(names), micros(since), micros(until), span(step)
        rows = await self._read(lambda connection: connection.fetch(SQL["activity"], *asked))
        return [ActivityCount(name, moment(at), amount) for name, at, amount in rows]

    async def trim_activity(self, before: datetime, names: Sequence[str] | None = None) -> int:
        """Delete what is old."""
        given = (SQL["trim_activity"], micros(before), TRIMMED)
        of_names = (SQL["trim_activity_of"], micros(before), TRIMMED, list(names or ()))
        asked = given if names is None else of_names
        count = 0
        while True:
            gone = len(await self._read(lambda connection: connection.fetch(*asked)))
            count += gone
            if gone < TRIMMED:
                return count
