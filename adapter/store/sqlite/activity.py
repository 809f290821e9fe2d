"""Activity in SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import apsw

from adapter.model.activity import ActivityCount
from adapter.store.activity_contract import TRIMMED
from adapter.store.sqlite.connection import array
from adapter.store.sqlite.statements import SQL
from adapter.store.timestamps import micros, moment, span

T = TypeVar("T")


class ActivityVerbs(ABC):
    """The verbs of `adapter.store.activity_contract.ActivityVerbs`."""

    @abstractmethod
    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run work in a transaction of the writing connection."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def add_activity(self, counted: Sequence[ActivityCount]) -> None:
        """Add amounts to their series."""
        rows = [(each.name, micros(each.at), each.amount) for each in counted]
        await self._write(lambda connection: connection.executemany(SQL["add_activity"], rows))

    async def activity(
        self, names: Sequence[str], since: datetime, until: datetime, step: timedelta
    ) -> list[ActivityCount]:
        """Return series by name and time."""
        if not names:
            return []
        asked = array(names), micros(since), micros(until), span(step)
        rows = await self._ask(lambda connection: list(connection.execute(SQL["activity"], asked)))
        return [ActivityCount(name, moment(at), amount) for name, at, amount in rows]

    async def trim_activity(self, before: datetime, names: Sequence[str] | None = None) -> int:
        """Delete what is old."""
        if names is not None and not names:
            return 0
        count = 0
        while True:
            gone = await self._write(lambda connection: _trim(connection, before, names))
            count += gone
            if gone < TRIMMED:
                return count


def _trim(connection: apsw.Connection, before: datetime, names: Sequence[str] | None) -> int:
    given = micros(before), TRIMMED
    if names is None:
        connection.execute(SQL["trim_activity"], given)
    else:
        connection.execute(SQL["trim_activity_of"], (*given, array(names)))
    return connection.changes()
