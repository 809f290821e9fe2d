"""Decisions over all customers in PostgreSQL, whose index by time says only in which pages to look."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from adapter.model.decisions import Decision
from adapter.model.pages import Page
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.rows import read_decision
from adapter.store.timestamps import micros

T = TypeVar("T")
#: Seconds that are looked through, the latest first: each span has at most about ten times the rows of the
#: one before it, which had too few. The last one reaches back to before all decisions.
_SPANS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 10_000_000_000)
_MICROS = 1_000_000
_LAST_NUMBER = 2**63 - 1


async def _latest(latest: int, number: int, limit: int, connection: Connection) -> Page[Decision]:
    found: list[tuple[int, int, str, bytes]] = []
    for span in _SPANS:
        rows = await connection.fetch(SQL["latest_decisions"], latest - span * _MICROS, latest, number, limit)
        found = [tuple(row) for row in rows]
        if len(found) == limit:
            break
    page = Page(read_decision(source_id, body) for _, _, source_id, body in found)
    page.next = f"{found[-1][0]}:{found[-1][1]}" if len(found) == limit else None
    return page


class DecisionReads(ABC):
    """The verbs of `adapter.store.decision_contract.DecisionReads`."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work on a connection."""

    async def latest_decisions(
        self, now: datetime, limit: int = 500, before: str | None = None
    ) -> Page[Decision]:
        """Return the latest decisions, in the order of their times."""
        latest, number = micros(now), _LAST_NUMBER
        if before is not None:
            latest, number = map(int, before.split(":"))
        return await self._read(partial(_latest, latest, number, limit))
