"""The API for the people who run the server: ignored and quarantined messages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import StreamingResponse

from adapter.errors import NotFound, Unreadable
from adapter.model.encoding import encode
from adapter.model.ignored import Ignored
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.services.quarantine_removal import QuarantineRemoved, RemovalFilter
from adapter.services.replay import Replayed, ReplayOptions, Shown, shown
from adapter.web.context import WebContext
from adapter.web.request_values import json_body
from adapter.web.route import ApiRoute, Parameter, Route

#: The id of a quarantined message; the stores count up to 63 bits.
_ENTRY_ID = re.compile("[0-9]{1,18}")


class Entry(Excerpt, frozen=True, kw_only=True):
    """A quarantined message in a list; `whole` is the path of the complete one."""

    whole: str


class IgnoredMessages(Struct):
    """Which messages of all customers no mapping takes, the latest first."""

    ignored: list[Ignored]


class Quarantine(Struct):
    """The latest quarantined messages, each with its reason."""

    quarantined: list[Entry]


async def _ignored(context: WebContext, _request: Request) -> Any:
    return {"ignored": await context.discounts.ignored()}


async def _quarantine(context: WebContext, request: Request) -> Any:
    before = request.query_params.get("before")
    if before is not None and not _ENTRY_ID.fullmatch(before):
        raise Unreadable("`before` is the `id` of a quarantined message: `/v1/quarantine?before=120`")
    found = await context.discounts.quarantined(None if before is None else int(before))
    return {"quarantined": [Entry(**asdict(each), whole=f"/v1/quarantine/{each.id}") for each in found]}


async def _quarantined(context: WebContext, request: Request) -> Any:
    given = request.path_params["id"]
    if not _ENTRY_ID.fullmatch(given):
        raise NotFound("there is no such message in quarantine: name one by its `id`")
    return await context.discounts.quarantined_message(int(given))


class ReplayRequest(Struct, frozen=True):
    """Which entries to replay, all by default; with `dry_run` nothing is stored."""

    ids: list[int] = []
    source: str | None = None
    dry_run: bool = False
    drop_ignored: bool = False


class RemovalRequest(Struct, frozen=True):
    """Which entries to delete, and why; `because` is a part of their reason, `before` a time with a zone.

    All that is given must hold. `everything` deletes all, and takes no other filter.
    """

    reason: str
    ids: list[int] = []
    source: str | None = None
    because: str | None = None
    before: Annotated[datetime, Meta(tz=True)] | None = None
    everything: bool = False
    dry_run: bool = False


async def _remove(context: WebContext, request: Request) -> Any:
    asked = await json_body(context, request, RemovalRequest)
    which = RemovalFilter(frozenset(asked.ids), asked.source, asked.because, asked.before, asked.everything)
    return await context.quarantine_removal(which, asked.reason, dry_run=asked.dry_run)


class Replays(Struct):
    """What became of the replayed entries, the oldest first."""

    replayed: list[Shown]


async def _replay(context: WebContext, request: Request) -> Any:
    wanted = await json_body(context, request, ReplayRequest)
    options = ReplayOptions(frozenset(wanted.ids), wanted.source, wanted.dry_run, wanted.drop_ignored)
    return StreamingResponse(_listed(context.replays(options)), media_type="application/json")


async def _listed(replayed: AsyncIterator[Replayed]) -> AsyncIterator[bytes]:
    """Yield the entries as JSON, one by one: their documents together may be long."""
    yield b'{"replayed":['
    comma = b""
    async for one in replayed:
        yield comma + encode(shown(one))
        comma = b","
    yield b"]}"


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/ignored",
        label="ignored",
        handler=_ignored,
        operation_id="listIgnored",
        roles=("read",),
        summary="List which messages no mapping takes",
        responses={200: IgnoredMessages},
    ),
    ApiRoute(
        path="/v1/quarantine",
        label="quarantine",
        handler=_quarantine,
        operation_id="listQuarantine",
        roles=("read",),
        summary="List the messages that could not be mapped or decided, with their reasons",
        responses={200: Quarantine},
        statuses=(400,),
        parameters=(
            Parameter(
                "before",
                "query",
                schema={"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
                description="Only messages whose `id` is below this one",
            ),
        ),
    ),
    ApiRoute(
        path="/v1/quarantine/{id}",
        label="quarantined",
        handler=_quarantined,
        operation_id="getQuarantined",
        roles=("read",),
        summary="Read a complete quarantined message",
        responses={200: Quarantined},
        statuses=(404,),
    ),
    ApiRoute(
        method="POST",
        path="/v1/quarantine/removals",
        label="quarantine_removals",
        handler=_remove,
        operation_id="deleteQuarantined",
        roles=("operate",),
        summary="Delete quarantined messages by filter, with a reason",
        responses={200: QuarantineRemoved},
        statuses=(400,),
        body=RemovalRequest,
    ),
    ApiRoute(
        method="POST",
        path="/v1/quarantine/replays",
        label="replays",
        handler=_replay,
        operation_id="replayQuarantine",
        roles=("operate",),
        summary="Send quarantined messages through mappings and rules again",
        responses={200: Replays},
        body=ReplayRequest,
        body_required=False,
    ),
)
