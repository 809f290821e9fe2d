"""Deliveries of any status, newest first: to a destination, of a customer, or of a discount."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import Unreadable
from adapter.model.deliveries import Delivery, DeliveryStatus, Selection
from adapter.model.pages import Page
from adapter.services.read_timeout import ReadTimeout
from adapter.services.support.delivery_list import MOST, PAGE, takes
from adapter.services.support.discount_life import is_about
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at

_SLICE: Final = 250
_MOMENT: Final = timedelta(microseconds=1)


class WantedDeliveries(Struct, frozen=True, kw_only=True):
    """Which deliveries: of a status, of a customer or about a discount by its code, and of a selection.

    Without a customer and a code the selection names a destination.
    """

    status: DeliveryStatus | None = None
    customer: str = ""
    code: str = ""
    selection: Selection

    def takes(self, delivery: Delivery) -> bool:
        """Return whether a delivery is meant; it is one of the customer."""
        return (
            self.status in {None, delivery.status}
            and takes(self.selection, delivery)
            and (not self.code or is_about(delivery, self.code))
        )


class Latest(Struct, frozen=True):
    """Deliveries, the newest first; `next` is the `after` of the next page.

    `searched_to` says how far was looked.
    """

    deliveries: list[Delivery]
    next: str | None
    searched_to: datetime | None


class _List(Struct, frozen=True):
    """A list that the store pages through, and the kind of its cursors."""

    kind: str
    page: Callable[[int, str | None], Awaitable[Page[Delivery]]]


async def latest(
    store: Store,
    patience: ReadTimeout,
    wanted: WantedDeliveries,
    *,
    after: str | None = None,
    most: int = PAGE,
) -> Latest:
    """Return a page of wanted deliveries, about `most`.

    It has few where many had to be looked at. Raises Unreadable for another list's `after`, NotFound where a
    code may mean several discounts, and Unavailable.
    """
    found: list[Delivery] = []
    meant = await _meant(store, patience, wanted)
    if meant is None:
        return Latest(found, None, None)
    looked_at, last, since, until = 0, None, wanted.selection.since, wanted.selection.until
    listed = _list(store, meant)
    if after is None and until is not None:
        after = cursor_at(listed.kind, until - _MOMENT, 0)
    while len(found) < most and looked_at < MOST:
        page = await _page(patience, listed, most if _everything(meant) else _SLICE, after)
        found += [each for each in page if meant.takes(each)]
        looked_at, after = looked_at + len(page), page.next
        last = page[-1].created_at if page else last
        if after is None or (since is not None and last is not None and last < since):
            return Latest(found, None, last)
    return Latest(found, after, last)


async def _meant(store: Store, patience: ReadTimeout, wanted: WantedDeliveries) -> WantedDeliveries | None:
    """Return what is wanted, with a discount's own code and its customer; None where none has the code."""
    if not wanted.code:
        return wanted
    held = await patience.read(store.discount(wanted.code))
    if held is None:
        return None
    return replace(wanted, code=held.discount.code, customer=wanted.customer or held.source_id)


def _list(store: Store, meant: WantedDeliveries) -> _List:
    """Return the shortest list that has all that is meant."""
    if meant.customer:
        return _List("deliveries", lambda limit, after: store.deliveries_of(meant.customer, limit, after))
    destination = meant.selection.destination
    if destination is None:
        raise Unreadable("name a destination, a customer or a discount")
    return _List("deliveries_to", lambda limit, after: store.deliveries_to(destination, limit, after))


async def _page(patience: ReadTimeout, listed: _List, limit: int, after: str | None) -> Page[Delivery]:
    try:
        return await patience.read(listed.page(limit, after))
    except Unreadable:
        raise Unreadable("`after` is the `next` of the page before") from None


def _everything(wanted: WantedDeliveries) -> bool:
    """Return whether all of a destination is wanted: then no more is read than is shown."""
    plain = WantedDeliveries(selection=Selection(destination=wanted.selection.destination))
    return wanted == plain
