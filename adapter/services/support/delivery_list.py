"""Deliveries by status and filter, the oldest first, in bounded time: a page says how far it looked."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from adapter.model.deliveries import Delivery, Selection
from adapter.services.delivery.shown import ShownDelivery, ends, rests, shown
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store

PAGE = 50
#: Deliveries that one call looks at, and those of one read.
MOST = 3_000
_SLICE = 250
#: Those that one call counts.
COUNTED = 4_000
Unsent = Literal["due", "dead"]


class ListedDeliveries(Struct, frozen=True):
    """A page of deliveries; `next` is the `after` of the next one, `searched_to` how far this one looked."""

    deliveries: list[ShownDelivery]
    next: str | None
    searched_to: datetime | None


class DeliveryCount(Struct, frozen=True):
    """How many deliveries a selection has, and whether there may be `more` than were looked at."""

    count: int
    more: bool


def takes(selection: Selection, delivery: Delivery) -> bool:
    """Return whether a delivery is selected, as the statements of the store say it."""
    return (
        (selection.ids is None or delivery.id in selection.ids)
        and selection.destination in {None, delivery.destination}
        and selection.type in {None, delivery.type}
        and (selection.error is None or selection.error in (delivery.last_error or ""))
        and (selection.since is None or delivery.created_at >= selection.since)
        and (selection.until is None or delivery.created_at < selection.until)
    )


async def listed(
    store: Store,
    patience: ReadTimeout,
    status: Unsent,
    selection: Selection,
    *,
    after: str | None,
    now: datetime,
) -> ListedDeliveries:
    """Return a page of selected deliveries of a status; it has few where many had to be looked at."""
    until = ends(await patience.read(rests(store, now)))
    found: list[ShownDelivery] = []
    looked_at, last = 0, None
    size = PAGE if selection == Selection() else _SLICE
    while len(found) < PAGE and looked_at < MOST:
        page = await patience.read(store.deliveries(status, size, after=after))
        found += [shown(each, until.get(each.destination)) for each in page if takes(selection, each)]
        looked_at, after = looked_at + len(page), page.next
        last = page[-1].created_at if page else last
        if after is None:
            break
    return ListedDeliveries(found, after, last)


async def counted(store: Store, patience: ReadTimeout, status: Unsent, selection: Selection) -> DeliveryCount:
    """Return how many deliveries of a status are selected, of the oldest that one call counts."""
    count, looked_at, after = 0, 0, None
    while looked_at < COUNTED:
        page = await patience.read(store.deliveries(status, 1_000, after=after))
        count += sum(takes(selection, each) for each in page)
        looked_at, after = looked_at + len(page), page.next
        if after is None:
            return DeliveryCount(count, False)
    return DeliveryCount(count, True)
