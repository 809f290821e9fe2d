"""The reads of decisions over all customers, which are part of the contract of a store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from adapter.model.decisions import Decision
from adapter.model.pages import Page


class DecisionReads(Protocol):
    """Decisions by their time, whoever they are about."""

    async def latest_decisions(
        self, now: datetime, limit: int = 500, before: str | None = None
    ) -> Page[Decision]:
        """Return up to `limit` decisions of all customers, about the latest first.

        They are in the order of their time in PostgreSQL, and in that of their commits in SQLite.
        """
        ...
