"""Deliveries: destinations with queue and breaker, what waits or was given up, attempts; retry, resume."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

from msgspec import Raw, Struct, field
from msgspec.structs import replace

from adapter.console.context import ConsoleContext
from adapter.console.decoding import moment_of
from adapter.console.filters import url
from adapter.console.masking import hidden_names
from adapter.console.page import Action, Done, Page
from adapter.console.visitor import Visitor
from adapter.errors import NotFound, Unreadable
from adapter.model.deliveries import UNSENT, Delivery, DeliveryStatus, Selection
from adapter.services.delivery.retries import ShownDestination
from adapter.services.delivery.shown import Rest, ShownDelivery, ends, rests, shown
from adapter.services.ingest.journal_mask import MASKED
from adapter.services.support.delivery_list import DeliveryCount, ListedDeliveries, Unsent, counted, listed
from adapter.services.support.latest_deliveries import WantedDeliveries, latest

_NUMBER: Final = re.compile("[0-9]{1,18}")
_HOME: Final = "/console/deliveries"
#: Deliveries of a destination that are counted.
_MOST: Final = 10_000
#: Pages of a customer's deliveries that are looked at for one.
_PAGES_OF_CUSTOMER: Final = 10
Shown = Literal[DeliveryStatus, "all"]


class DeliveriesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries; times in UTC where they name no zone.

    Those that wait or were given up come oldest first. Those that were made, all, and those of a customer or
    about a discount come newest first; the first two of one destination, the first where none is named.
    """

    status: Shown = "dead"
    destination: str = ""
    customer: str = ""
    code: str = ""
    type: str = ""
    error: str = ""
    since: str = ""
    until: str = ""
    after: str | None = None


class DestinationRow(Struct, frozen=True):
    """A destination. `waiting` and `given_up` are counted up to `most`; `due_since` is the longest due."""

    name: str
    type: str
    testable: bool
    configured: bool
    state: Literal["sending", "paused", "open", "half_open"]
    rest: Rest | None
    waiting: int
    given_up: int
    due_since: datetime | None


class DeliveriesView(Struct, frozen=True):
    """Destinations, and a page of deliveries; `counted` says how many can be sent now by the filter."""

    asked: DeliveriesQuery
    destinations: list[DestinationRow]
    most: int
    found: ListedDeliveries
    counted: DeliveryCount | None
    newest_first: bool
    statuses: tuple[Shown, ...] = ("dead", "due", "done", "all")


class DeliveryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which delivery; one that was made is found among those of its customer."""

    id: str = ""
    customer: str = ""


class DeliveryView(Struct, frozen=True):
    """A delivery with its attempts, oldest first, and the event that is sent; None where none is named."""

    delivery: ShownDelivery | None
    event: Raw = field(default_factory=lambda: Raw(b"null"))
    body: str = ""
    not_after: datetime | None = None


class RetryForm(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries to send now: one by its id, or those of a filter."""

    id: str = ""
    status: DeliveryStatus | None = None
    destination: str = ""
    type: str = ""
    error: str = ""
    since: str = ""
    until: str = ""


class DestinationForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The destination of an act."""

    destination: str


async def _deliveries(context: ConsoleContext, query: DeliveriesQuery, _visitor: Visitor) -> DeliveriesView:
    destinations = await _destinations(context)
    if query.status in UNSENT and not query.customer and not query.code:
        found, how_many = await _unsent(context, query)
        return DeliveriesView(query, destinations, _MOST, found, how_many, newest_first=False)
    if not (query.destination or query.customer or query.code) and destinations:
        query = replace(query, destination=destinations[0].name)
    found = await _latest(context, query) if destinations else ListedDeliveries([], None, None)
    return DeliveriesView(query, destinations, _MOST, found, None, newest_first=True)


async def _unsent(
    context: ConsoleContext, query: DeliveriesQuery
) -> tuple[ListedDeliveries, DeliveryCount | None]:
    """Return a page of what waits or was given up, the oldest first, and how many the filter selects."""
    store, patience = context.store, context.patience
    if query.after is not None and not _NUMBER.fullmatch(query.after):
        raise Unreadable("`after` is the `next` of the page before")
    status: Unsent = "due" if query.status == "due" else "dead"
    selection = _selection(query)
    found = await listed(store, patience, status, selection, after=query.after, now=context.now())
    return found, await counted(store, patience, status, selection) if found.deliveries else None


async def _latest(context: ConsoleContext, query: DeliveriesQuery) -> ListedDeliveries:
    """Return a page of deliveries of any status, the newest first."""
    store, patience = context.store, context.patience
    wanted = WantedDeliveries(
        status=None if query.status == "all" else query.status, customer=query.customer, code=query.code,
        selection=_selection(query),
    )  # fmt: skip
    until = ends(await patience.read(rests(store, context.now())))
    found = await latest(store, patience, wanted, after=query.after)
    rows = [shown(each, until.get(each.destination)) for each in found.deliveries]
    return ListedDeliveries(rows, found.next, found.searched_to)


async def _destinations(context: ConsoleContext) -> list[DestinationRow]:
    """Return the destinations in use, and others for which something waits."""
    store, patience = context.store, context.patience
    resting = {each.destination: each for each in await patience.read(rests(store, context.now()))}
    levels = {
        (each.destination, each.status): each for each in await patience.read(store.queue_levels(_MOST))
    }
    known = {each.name: each for each in context.web.deliveries.shown_destinations()}
    names = [*known, *sorted({name for name, _ in levels} - set(known))]
    rows = []
    for name in names:
        due, dead, rest = levels.get((name, "due")), levels.get((name, "dead")), resting.get(name)
        one = known.get(name) or ShownDestination(name, "", False)
        rows.append(
            DestinationRow(
                name,
                one.type,
                one.testable,
                name in known,
                "sending" if rest is None else "paused" if rest.kind == "pause" else rest.kind,
                rest,
                due.count if due else 0,
                dead.count if dead else 0,
                due.first_due_at if due else None,
            )
        )
    return rows


async def _delivery(context: ConsoleContext, query: DeliveryQuery, visitor: Visitor) -> DeliveryView:
    store, patience = context.store, context.patience
    if not query.id:
        return DeliveryView(None)
    found = await _found(context, query)
    until = ends(await patience.read(rests(store, context.now())))
    body = found.body[:20_000].decode("utf-8", "replace")
    if hidden_names(visitor, context.settings):  # a text in the form of its destination, which has no names
        body = MASKED
    return DeliveryView(shown(found, until.get(found.destination)), found.event, body, found.not_after)


async def _found(context: ConsoleContext, query: DeliveryQuery) -> Delivery:
    """Return a delivery among those of its customer, else among those that wait or were given up."""
    store, patience = context.store, context.patience
    before: str | None = None
    for _ in range(_PAGES_OF_CUSTOMER if query.customer else 0):
        page = await patience.read(store.deliveries_of(query.customer, before=before))
        one = next((each for each in page if each.id == query.id), None)
        if one is not None:
            return one
        before = page.next
        if before is None:
            break
    for status in UNSENT:
        for each in await patience.read(store.deliveries(status, 1, selection=Selection(ids=(query.id,)))):
            return each
    raise NotFound("no such delivery is kept; name its `customer` for one that was made")


def _selection(given: DeliveriesQuery | RetryForm) -> Selection:
    return Selection(
        destination=given.destination or None,
        type=given.type or None,
        error=given.error or None,
        since=moment_of("since", given.since) if given.since else None,
        until=moment_of("until", given.until) if given.until else None,
    )


async def _retry(context: ConsoleContext, form: RetryForm, _visitor: Visitor) -> Done:
    statuses = UNSENT if form.status is None else (form.status,)
    if form.id:
        done = await context.web.deliveries.retry(Selection(ids=(form.id,)), UNSENT)
        back, subject = url(_HOME), f"delivery {form.id}"
    else:
        if form.status not in UNSENT:
            raise Unreadable("`status` is `due` or `dead`: those that wait, or those that were given up")
        done = await context.web.deliveries.retry(_selection(form), statuses)
        back = url(_HOME, status=form.status, destination=form.destination)
        subject = ", ".join(f"{name} {value}" for name, value in _given(form)) or "all"
    return Done(message=f"{done.retried} deliveries are due now.", back=back, subject=subject, after=done)


def _given(form: RetryForm) -> list[tuple[str, str]]:
    names = ("status", "destination", "type", "error", "since", "until")
    return [(name, str(getattr(form, name))) for name in names if getattr(form, name)]


async def _resume(context: ConsoleContext, form: DestinationForm, _visitor: Visitor) -> Done:
    done = await context.web.deliveries.resume(form.destination)
    return Done(
        message=f"{form.destination} is sent to again: {done.retried} deliveries are due now.",
        back=_HOME,
        subject=form.destination,
        before=list(done.resumed),
        after={"retried": done.retried},
    )


async def _test(context: ConsoleContext, form: DestinationForm, _visitor: Visitor) -> Done:
    pushed = await context.web.deliveries.test(form.destination)
    answer = f" {pushed.answer[:200]}" if pushed.answer else ""
    said = f"{pushed.status or pushed.error or 'no answer'}"
    verdict = "takes test pushes" if pushed.ok else "did not take the test push"
    return Done(
        message=f"{form.destination} {verdict}: {said}{answer}",
        back=_HOME,
        subject=form.destination,
        after=pushed,
    )


PAGES: Final = (
    Page(
        path=_HOME,
        template="deliveries.html",
        title="Deliveries",
        nav="Deliveries",
        view=_deliveries,
        statuses=(404,),
        query=DeliveriesQuery,
        fragments=("destinations", "found"),
    ),
    Page(
        path="/console/delivery",
        template="delivery.html",
        title="Delivery",
        view=_delivery,
        statuses=(404,),
        query=DeliveryQuery,
    ),
)
ACTIONS: Final = (
    Action(path=f"{_HOME}/retry", title="Retry deliveries", form=RetryForm, run=_retry),
    Action(path=f"{_HOME}/resume", title="Resume a destination", form=DestinationForm, run=_resume),
    Action(path=f"{_HOME}/test", title="Test a destination", form=DestinationForm, run=_test),
)
