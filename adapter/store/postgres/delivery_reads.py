"""Reads of the outbox, and of how the destinations are."""

from __future__ import annotations

from datetime import datetime

from adapter.errors import Refused
from adapter.model.breakers import Breaker
from adapter.model.deliveries import Delivery, Pause, Selection
from adapter.model.pages import Page
from adapter.store.outbox_rows import read_breaker, read_delivery, read_pause, selection_row
from adapter.store.owners import owned
from adapter.store.postgres.reading import Reading
from adapter.store.timestamps import micros

_BY_STATUS = {"due": "due_deliveries", "done": "done_deliveries", "dead": "dead_deliveries"}


class DeliveryReads(Reading):
    """See the contract for what each returns."""

    async def deliveries(
        self, status: str, limit: int, selection: Selection, after: str | None
    ) -> Page[Delivery]:
        """Return a page of selected deliveries of one status."""
        if status not in _BY_STATUS:
            raise Refused(f"`{status}` is not a status of a delivery: use one of {', '.join(_BY_STATUS)}")
        ids = None if selection.ids is None else list(selection.ids)
        wanted = limit + 1, int(after or 0), ids, *selection_row(selection)
        rows = [tuple(row) for row in await self._rows(_BY_STATUS[status], *wanted)]
        found = [read_delivery(row[:-1]) for row in rows[:limit]]
        page = Page(owned(found, await self._names({each.source_id for each in found})))
        page.next = str(rows[limit - 1][-1]) if len(rows) > limit else None
        return page

    async def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force."""
        return [read_pause(row) for row in await self._rows("pauses", micros(now))]

    async def breakers(self) -> list[Breaker]:
        """Return the breakers."""
        return [read_breaker(row) for row in await self._rows("breakers")]
