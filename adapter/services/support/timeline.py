"""What happened to one customer, in one list: events, decisions, discounts, redemptions and pushes.

Each kind is a list of the store, newest first. They are merged, and the cursor says of each how far it was
read, so that any page costs one bounded read of each kind.
"""

from __future__ import annotations

import heapq
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.events import Event
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption, State, amount_of
from adapter.services.delivery.shown import ShownDelivery, shown
from adapter.services.support.discount_list import standing
from adapter.store.contract import Store
from adapter.store.page_starts import cursor_at
from adapter.store.timestamps import micros, moment

Kind = Literal["events", "decisions", "discounts", "redemptions", "deliveries"]
KINDS: tuple[Kind, ...] = ("events", "decisions", "discounts", "redemptions", "deliveries")
#: Entries of a page.
PAGE = 40
#: Of a kind: the moment of the last row that was shown, and how many rows of it were. None: all were.
_Spot = tuple[int, int] | None
_Spots = dict[str, _Spot]


class BookedEntry(Struct, frozen=True):
    """A redemption or a hold in the list; `amount` is in minor units of `currency`, None if not known."""

    id: str
    order_id: str
    state: State
    codes: list[str]
    amount: int | None
    currency: str | None


class TimelineEntry(Struct, frozen=True):
    """One thing that happened `at` a time; the member named like its kind has it."""

    at: datetime
    kind: Kind
    event: Event | None = None
    decision: Decision | None = None
    discount: Discount | None = None
    redemption: BookedEntry | None = None
    delivery: ShownDelivery | None = None


class Timeline(Struct, frozen=True):
    """A page of entries, the latest first; `next` is the `before` of the next page."""

    entries: list[TimelineEntry]
    next: str | None


async def timeline(
    store: Store, source_id: str, kinds: Sequence[Kind], before: str | None, now: datetime
) -> Timeline:
    """Return a page of what happened to a customer; raises Unreadable for a `before` of another list."""
    spots = _read_spots(before, kinds)
    pages: dict[str, list[TimelineEntry]] = {}
    ends: dict[str, bool] = {}
    for kind, spot in spots.items():
        if spot is None:
            continue
        at = cursor_at(kind, moment(spot[0]), spot[1]) if spot[1] else None
        rows = await _READ[kind](store, source_id, at)
        pages[kind] = [_ENTRY[kind](row, now) for row in rows]
        ends[kind] = rows.next is None
    taken = _merged(pages, ends)
    following = _following(spots, pages, ends, taken)
    return Timeline(taken, following)


def _merged(pages: Mapping[str, list[TimelineEntry]], ends: Mapping[str, bool]) -> list[TimelineEntry]:
    """Return the latest entries of pages; none that may be older than a row which was not read."""
    floor = max((page[-1].at for kind, page in pages.items() if page and not ends[kind]), default=None)
    merged = heapq.merge(*pages.values(), key=lambda entry: entry.at, reverse=True)
    taken: list[TimelineEntry] = []
    for entry in merged:
        if len(taken) == PAGE or (floor is not None and entry.at < floor):
            break
        taken.append(entry)
    return taken


def _following(
    spots: _Spots,
    pages: Mapping[str, list[TimelineEntry]],
    ends: Mapping[str, bool],
    taken: Sequence[TimelineEntry],
) -> str | None:
    found = dict(spots)
    for kind, page in pages.items():
        shown_ = [entry for entry in taken if entry.kind == kind]
        if len(shown_) == len(page) and ends[kind]:
            found[kind] = None
        elif shown_:
            last = micros(shown_[-1].at)
            alike = sum(micros(entry.at) == last for entry in shown_)
            before = spots[kind]
            goes_on = before is not None and before[0] == last and alike == len(shown_)
            found[kind] = (last, alike + (before[1] if goes_on and before else 0))
    if all(spot is None for spot in found.values()):
        return None
    return urlsafe_b64encode(msgspec.json.encode(found)).decode().rstrip("=")


def _read_spots(before: str | None, kinds: Sequence[Kind]) -> _Spots:
    if before is None:
        return dict.fromkeys(kinds, (0, 0))
    try:
        found = msgspec.json.decode(urlsafe_b64decode(before.encode() + b"=="), type=_Spots)
        for spot in found.values():
            moment(spot[0] if spot else 0)
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        raise Unreadable("`before` is the `next` of the page before, as it was given") from error
    if set(found) != set(kinds):
        raise Unreadable("`before` is the `next` of the page of another list")
    return found


def _booked(redemption: Redemption, now: datetime) -> BookedEntry:
    return BookedEntry(
        redemption.id,
        redemption.order_id,
        redemption.state_at(now),
        [use.code for use in redemption.uses],
        amount_of(redemption.uses),
        redemption.currency,
    )


def _of_discount(held: DiscountRecord, now: datetime) -> TimelineEntry:
    return TimelineEntry(held.issued_at, "discounts", discount=standing(held, now))


def _of_delivery(delivery: Delivery, _now: datetime) -> TimelineEntry:
    return TimelineEntry(delivery.created_at, "deliveries", delivery=shown(delivery, None))


def _of_decision(decision: Decision, _now: datetime) -> TimelineEntry:
    return TimelineEntry(decision.decided_at, "decisions", decision=decision)


def _of_event(event: Event, _now: datetime) -> TimelineEntry:
    return TimelineEntry(event.occurred_at, "events", event=event)


def _of_redemption(redemption: Redemption, now: datetime) -> TimelineEntry:
    return TimelineEntry(redemption.at, "redemptions", redemption=_booked(redemption, now))


_ENTRY: Mapping[str, Callable[[Any, datetime], TimelineEntry]] = {
    "events": _of_event,
    "decisions": _of_decision,
    "discounts": _of_discount,
    "redemptions": _of_redemption,
    "deliveries": _of_delivery,
}
_READ: Mapping[str, Callable[[Store, str, str | None], Awaitable[Page[Any]]]] = {
    "events": lambda store, name, before: store.events(name, PAGE, before),
    "decisions": lambda store, name, before: store.decisions(name, PAGE, before),
    "discounts": lambda store, name, before: store.discounts(name, PAGE, before),
    "redemptions": lambda store, name, before: store.redemptions("customer", name, PAGE, before),
    "deliveries": lambda store, name, before: store.deliveries_of(name, PAGE, before),
}
