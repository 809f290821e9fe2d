"""Reads of the outbox, and of how the destinations are."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from adapter.errors import Refused
from adapter.model.breakers import Breaker
from adapter.model.deliveries import Delivery, Pause, Selection
from adapter.model.pages import Page
from adapter.store.outbox_rows import read_breaker, read_delivery, read_pause, selection_row
from adapter.store.owners import owned
from adapter.store.sqlite.reading import Reading
from adapter.store.timestamps import micros, moment
from adapter.store.values import CROWD_CUSTOMERS, CROWD_LOOKED_AT

_BY_STATUS = {"due": "due_deliveries", "done": "done_deliveries", "dead": "dead_deliveries"}


class DeliveryReads(Reading):
    """See the contract for what each returns."""

    def deliveries(self, status: str, limit: int, selection: Selection, after: str | None) -> Page[Delivery]:
        """Return a page of selected deliveries of one status."""
        if status not in _BY_STATUS:
            raise Refused(f"`{status}` is not a status of a delivery: use one of {', '.join(_BY_STATUS)}")
        ids = None if selection.ids is None else json.dumps(selection.ids)
        wanted = limit + 1, int(after or 0), ids, *selection_row(selection)
        rows = list(self._rows(_BY_STATUS[status], *wanted))
        found = [read_delivery(row[:-1]) for row in rows[:limit]]
        page = Page(owned(found, self._names({each.source_id for each in found})))
        page.next = str(rows[limit - 1][-1]) if len(rows) > limit else None
        return page

    def pauses(self, now: datetime) -> list[Pause]:
        """Return the pauses in force."""
        return [read_pause(row) for row in self._rows("pauses", micros(now))]

    def due_destinations(self) -> list[str]:
        """Return the names of the destinations of due deliveries."""
        return [row[0] for row in self._rows("due_destinations")]

    def due_of(self, destination: str, source_ids: Collection[str], most: int) -> list[Delivery]:
        """Return the first due deliveries of customers to a destination."""
        rows = (self._rows("due_of_customer", destination, each, most) for each in source_ids)
        return [read_delivery(row) for found in rows for row in found]

    def crowded(self, destination: str, above: int, limit: int) -> list[str]:
        """Return customers with many due deliveries to a destination."""
        wanted = destination, above, limit, CROWD_LOOKED_AT, CROWD_CUSTOMERS
        return [row[0] for row in self._rows("crowded", *wanted)]

    def oldest_due(self) -> datetime | None:
        """Return when the oldest due delivery was made."""
        rows = self._rows("oldest_due")
        return moment(rows[0][0]) if rows else None

    def breakers(self) -> list[Breaker]:
        """Return the breakers."""
        return [read_breaker(row) for row in self._rows("breakers")]
