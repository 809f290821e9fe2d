"""Decisions over all customers in SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import apsw

from adapter.model.decisions import Decision
from adapter.model.pages import Page
from adapter.store.rows import read_decision
from adapter.store.sqlite.statements import SQL

T = TypeVar("T")
_LAST = 2**63 - 1


class DecisionReads(ABC):
    """The verbs of `adapter.store.decision_contract.DecisionReads`."""

    @abstractmethod
    async def _ask(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run a query on the reading connection."""

    async def latest_decisions(
        self, now: datetime, limit: int = 500, before: str | None = None
    ) -> Page[Decision]:
        """Return the latest decisions, in the order of their numbers."""
        given = (_LAST if before is None else int(before), limit)
        rows: list[Any] = await self._ask(
            lambda connection: list(connection.execute(SQL["latest_decisions"], given))
        )
        page = Page(read_decision(source_id, body) for _, source_id, body in rows)
        page.next = str(rows[-1][0]) if len(rows) == limit else None
        return page
