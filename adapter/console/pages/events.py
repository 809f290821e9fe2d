"""Events: what arrived, live and searched; and the journey of one message."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.console.context import ConsoleContext
from adapter.console.live_events import StreamQuery, stream
from adapter.console.page import Download, Page
from adapter.console.visitor import Visitor
from adapter.model.sources import SOURCES
from adapter.services.arrivals.filter_text import OUTCOMES, QUALIFIERS, FilterError, parsed
from adapter.services.arrivals.journey import Journeys
from adapter.services.arrivals.journey_report import Journey
from adapter.services.arrivals.search import FoundMessages, Search
from adapter.services.ingest.journal_mask import MASKED

#: Messages of a page, and values that are suggested of one qualifier.
_PAGE: Final = 50
_MOST_SUGGESTED: Final = 300


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The filter, where the list continues, and the message that is open."""

    q: str = ""
    before: str = ""
    open: str = ""


class EventQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which message."""

    id: str


class Kept(Struct, frozen=True):
    """How long messages are kept: no longer than so many days, and no more than so many megabytes."""

    days: int
    max_mb: int


class Events(Struct, frozen=True):
    """A list of messages, the latest first. `problem` says why the filter cannot be read, `problem_at` where.

    `live` says that the list can be followed from `newest` on. `suggestions` has values by qualifier.
    """

    q: str
    kept: Kept
    problem: str
    problem_at: int
    messages: FoundMessages
    live: bool
    first: bool
    qualifiers: dict[str, str]
    suggestions: dict[str, list[str]]
    journey: Journey | None


class OneEvent(Struct, frozen=True):
    """A message and what became of it."""

    journey: Journey
    kept: Kept


async def _events(context: ConsoleContext, query: EventsQuery, visitor: Visitor) -> Events:
    problem, at, found = "", 0, FoundMessages([], complete=True)
    kept = _kept(context)
    try:
        wanted = parsed(query.q, context.now())
    except FilterError as error:
        problem, at = error.message, error.at
    else:
        if kept.days:
            found = await Search(context.store, context.patience).page(wanted, query.before, _PAGE)
    return Events(
        query.q, kept, problem, at, found,
        live=bool(kept.days) and not problem and not query.before,
        first=not query.before,
        qualifiers=QUALIFIERS,
        suggestions=_suggestions(context),
        journey=await _journey(context, query.open, visitor) if query.open else None,
    )  # fmt: skip


async def _event(context: ConsoleContext, query: EventQuery, visitor: Visitor) -> OneEvent:
    return OneEvent(await _journey(context, query.id, visitor), _kept(context))


async def _journey(context: ConsoleContext, id_: str, visitor: Visitor) -> Journey:
    journeys = Journeys(context.store, context.books, context.settings, context.patience)
    found = await journeys.of(id_)
    # What is to be masked cannot be found in a text that is no JSON.
    hidden = found.text and context.settings.console.mask and not visitor.can("operate")
    return replace(found, text=MASKED) if hidden else found


def _kept(context: ConsoleContext) -> Kept:
    journal = context.settings.journal
    return Kept(journal.days, journal.max_mb)


def _suggestions(context: ConsoleContext) -> dict[str, list[str]]:
    """Return values that a filter may have, of those qualifiers whose values are known."""
    rules, model = context.books.rules.rules, context.books.mappings.model
    events = {name for rule in rules for name in rule.triggers} | set(model.events if model else ())
    found = {
        "source": {*SOURCES},
        "type": {name for source in SOURCES.values() for name in source.types},
        "event": events,
        "outcome": {*OUTCOMES},
        "rule": {rule.name for rule in rules},
        "since": {"5m", "1h", "1d"},
    }
    return {name: sorted(values)[:_MOST_SUGGESTED] for name, values in found.items()}


PAGES: Final = (
    Page(
        path="/console/events",
        template="events.html",
        title="Events",
        nav="Events",
        view=_events,
        statuses=(404,),
        query=EventsQuery,
        fragments=("list",),
    ),
    Page(
        path="/console/event",
        template="event.html",
        title="Event",
        view=_event,
        statuses=(404,),
        query=EventQuery,
        fragments=("journey",),
    ),
)
DOWNLOADS: Final = (Download(path="/console/events/stream", respond=stream, query=StreamQuery),)
