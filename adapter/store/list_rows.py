"""Converts rows of lists of both engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.quarantine import Reason
from adapter.store.outbox_rows import read_delivery
from adapter.store.owners import given_to, owned
from adapter.store.paging import Cursor, cursor_text
from adapter.store.rows import read_held
from adapter.store.timestamps import micros, moment
from adapter.store.values import QueueLevel

#: So many deliveries of one customer are looked at for a page of them.
MOST_LOOKED_AT = 10_000


def read_discount(names: Mapping[str, str], body: bytes) -> DiscountRecord:
    """Return a discount with the ids that customers go by."""
    return given_to(read_held(body), names) if names else read_held(body)


def read_reason(row: Sequence[Any]) -> Reason:
    """Return why a message is kept."""
    return Reason(row[0], row[1], row[2], moment(row[3]))


def deliveries_page(found: Sequence[Delivery], begun: Cursor, limit: int) -> Page[Delivery]:
    """Return a page of a customer's deliveries, of which one more was read."""
    page = Page(found[:limit])
    if len(found) > limit:
        last = page[-1]
        at = micros(last.created_at)
        skip = begun.skip + 1 if (at, last.id) == (begun.moment, begun.tie) else 1
        page.next = cursor_text(Cursor(at, last.id, skip))
    return page


def numbered_page(
    rows: Sequence[Sequence[Any]], names: Mapping[str, str], begun: Cursor, limit: int
) -> Page[Delivery]:
    """Return a page of rows of deliveries with their numbers, of which one more was read."""
    page = Page(owned([read_delivery(row[:-1]) for row in rows[:limit]], names))
    if len(rows) > limit:
        at, number = micros(page[-1].created_at), rows[limit - 1][-1]
        skip = begun.skip + 1 if (at, number) == (begun.moment, begun.tie) else 1
        page.next = cursor_text(Cursor(at, number, skip))
    return page


def levels(due: Iterable[Sequence[Any]], dead: Iterable[Sequence[Any]]) -> list[QueueLevel]:
    """Return rows of destination, count and the first moment as values; empty ones are left out."""
    both = [("due", row) for row in due] + [("dead", row) for row in dead]
    return [QueueLevel(row[0], status, row[1], moment(row[2])) for status, row in both if row[1]]
