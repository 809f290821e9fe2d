"""The live list of events: rows as HTML, in server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response, StreamingResponse

from adapter.console.access.sessions import still_visits
from adapter.console.context import ConsoleContext
from adapter.console.masking import masked
from adapter.console.rendering import page_html
from adapter.console.visitor import Visitor
from adapter.errors import Unavailable
from adapter.model.encoding import encode
from adapter.services.arrivals.feed import FeedBatch
from adapter.services.arrivals.filter_text import parsed
from adapter.services.arrivals.filters import KnownPeople, MessageFilter
from adapter.services.arrivals.search import known_people

#: While nothing arrives, so often something is sent: proxies close connections that are silent.
HEARTBEAT: Final = timedelta(seconds=15)
#: So often a stream looks whether its session still lasts.
CHECK: Final = timedelta(seconds=2)
#: Seconds after which a stream ends; the browser opens the next.
LONGEST: Final = 600.0
_ALIVE: Final = b": alive\n\n"
#: What is said to a browser that was signed out, so that it does not open another stream.
_SIGNED_OUT: Final = b"event: ended\ndata: signed out\n\n"
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}


class StreamQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The filter, and the row of the journal behind which the stream begins."""

    after: int
    q: str = ""


class LiveRows(Struct, frozen=True):
    """One event: table rows, the latest first, and what is not among them; `last` continues the stream."""

    html: str
    count: int
    more: int
    missed: int
    gap: bool
    last: int


async def stream(context: ConsoleContext, query: StreamQuery, visitor: Visitor) -> Response:
    """Return a stream of what arrives. Raises FilterError, and Unavailable where too many watch."""
    wanted = parsed(query.q, context.now())
    context.feed.require_room()  # a stream that has begun cannot say so by its status
    known = await known_people(context.store, wanted)
    events = _events(context, query, visitor, wanted, known)
    return StreamingResponse(events, headers=_HEADERS, media_type="text/event-stream")


async def _events(
    context: ConsoleContext, query: StreamQuery, visitor: Visitor, wanted: MessageFilter, known: KnownPeople
) -> AsyncIterator[bytes]:
    begun = checked = spoke = monotonic()
    yield b": follows\n\n"
    async with context.feed.watching(wanted, known, query.after) as viewer:
        async for batch in viewer.batches(CHECK):
            now = monotonic()
            if now - checked >= CHECK.total_seconds():
                checked = now
                if ending := await _ending(context, visitor):
                    yield ending
                    return
            if batch is not None or now - spoke >= HEARTBEAT.total_seconds():
                spoke = now
                yield _ALIVE if batch is None else _event(rows_of(context, query.q, visitor, batch))
            if now - begun > LONGEST:
                return


async def _ending(context: ConsoleContext, visitor: Visitor) -> bytes:
    """Return what a stream says last; empty while its visitor may see more.

    While the store is unavailable the session cannot be checked, so the stream ends; browsers open it again.
    """
    try:
        return b"" if await still_visits(context, visitor) else _SIGNED_OUT
    except Unavailable:
        return _ALIVE


def rows_of(context: ConsoleContext, q: str, visitor: Visitor, batch: FeedBatch) -> LiveRows:
    """Return a batch as rows, without what the visitor may not see."""
    plain: Any = msgspec.json.decode(encode(batch.messages[::-1]))
    shown = masked(plain, visitor, context.settings)
    values = {"page": {"q": q, "messages": {"messages": shown}}}
    html = page_html("events.html", values, now=context.now(), block="rows")
    return LiveRows(html, len(shown), batch.more, batch.missed, batch.gap, batch.last)


def _event(rows: LiveRows) -> bytes:
    return b"event: rows\nid: %d\ndata: %b\n\n" % (rows.last, encode(rows))
