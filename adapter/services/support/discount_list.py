"""Discounts by rule, status and customer, newest first, in bounded time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.discounts import Discount, DiscountRecord, Status
from adapter.model.pages import Page
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at
from adapter.store.timestamps import micros, moment

#: Discounts of a page, and so many that one call looks at.
PAGE = 50
MOST = 1_000
_SLICE = 200


class DiscountFilter(Struct, frozen=True):
    """Which discounts: those of a rule, of a customer, of a status; all that is given must hold."""

    rule: str = ""
    status: Status | None = None
    customer: str = ""


class DiscountRow(Struct, frozen=True):
    """A discount in the list, with its status now."""

    discount: Discount
    rule: str
    customer: str
    issued_at: datetime
    moved_at: datetime
    order_id: str | None
    reason: str | None
    version: int


class ListedDiscounts(Struct, frozen=True):
    """A page of discounts; `next` is the `before` of the next, `searched_to` is how far this one looked."""

    rows: list[DiscountRow]
    next: str | None
    searched_to: datetime | None


class _Spot(Struct, frozen=True):
    """How far a list was read: `skip` rows of the moment, and all later ones."""

    at: int
    skip: int

    @property
    def text(self) -> str:
        return f"{self.at}.{self.skip}"

    def after(self, held: DiscountRecord) -> _Spot:
        at = micros(held.issued_at)
        return _Spot(at, self.skip + 1 if at == self.at else 1)


async def listed(
    store: Store, patience: ReadTimeout, wanted: DiscountFilter, before: str | None, now: datetime
) -> ListedDiscounts:
    """Return a page of discounts; it has few where many had to be looked at. Raises Unreadable."""
    spot = _spot(before)
    rows: list[DiscountRow] = []
    looked_at, last = 0, None
    async for held in _all(store, patience, wanted, spot):
        if len(rows) == PAGE or looked_at == MOST:
            return ListedDiscounts(rows, spot.text, last)
        spot, looked_at, last = spot.after(held), looked_at + 1, held.issued_at
        if wanted.status in {None, held.status_at(now)} and wanted.rule in {"", held.rule}:
            rows.append(row(held, now))
    return ListedDiscounts(rows, None, last)


def standing(held: DiscountRecord, now: datetime) -> Discount:
    """Return a discount with its status at a time."""
    status = held.status_at(now)
    return held.discount if status == held.discount.status else held.discount.as_of(status)


def row(held: DiscountRecord, now: datetime) -> DiscountRow:
    """Return what a list shows of a discount."""
    return DiscountRow(
        standing(held, now),
        held.rule,
        held.source_id,
        held.issued_at,
        held.moved_at,
        held.order_id,
        held.reason,
        held.version,
    )


async def _all(
    store: Store, patience: ReadTimeout, wanted: DiscountFilter, spot: _Spot
) -> AsyncIterator[DiscountRecord]:
    """Yield what the narrowest list has, from a spot on."""
    before = cursor_at("discounts", moment(spot.at), spot.skip) if spot.skip else None
    size = PAGE + 1 if wanted.status is None else _SLICE
    while True:
        page = await patience.read(_page(store, wanted, size, before))
        for held in page:
            yield held
        before = page.next
        if before is None:
            return


async def _page(store: Store, wanted: DiscountFilter, size: int, before: str | None) -> Page[DiscountRecord]:
    if wanted.customer:
        return await store.discounts(wanted.customer, size, before)
    return await store.discounts_by_time(wanted.rule or None, size, before)


def _spot(before: str | None) -> _Spot:
    if before is None:
        return _Spot(0, 0)
    at, _, skip = before.partition(".")
    try:
        found = _Spot(int(at), int(skip))
        moment(found.at)
    except (ValueError, OverflowError) as error:
        raise Unreadable("`before` is the `next` of the page before, as it was given") from error
    return found
