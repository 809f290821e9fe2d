"""The API of deliveries for the people who run the server: lists, retries, pauses, and a test push."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, get_args

import msgspec
from msgspec import Struct
from starlette.requests import Request

from adapter.errors import Unreadable
from adapter.model.deliveries import UNSENT, WAITING, DeliveryStatus, Selection
from adapter.services.delivery.retries import Pushed, Retried
from adapter.services.delivery.shown import Rest, ShownDelivery
from adapter.web.context import WebContext
from adapter.web.request_values import page_of
from adapter.web.route import ApiRoute, Parameter, Route

_NUMBER = re.compile("[0-9]{1,18}")
_TIME = {"type": "string", "format": "date-time"}
#: Which deliveries are meant: of these all that is given must hold.
SELECTION = (
    Parameter("id", "query", required=False, description="One id, or several with commas"),
    Parameter("destination", "query", required=False),
    Parameter("type", "query", required=False, description="The type of event, as `discount.issued`"),
    Parameter("error", "query", required=False, description="A part of the last error"),
    Parameter("since", "query", required=False, schema=_TIME, description="Made at this time or later"),
    Parameter("until", "query", required=False, schema=_TIME, description="Made before this time"),
)


class Deliveries(Struct):
    """A page of deliveries, oldest first; `next` is the `after` of the next page."""

    deliveries: list[ShownDelivery]
    next: str | None


class Pauses(Struct):
    """The destinations to which nothing is sent, until when, and why."""

    pauses: list[Rest]


async def _deliveries(context: WebContext, request: Request) -> Any:
    [status] = _statuses(request, WAITING, get_args(DeliveryStatus))
    after = request.query_params.get("after")
    if after is not None and not _NUMBER.fullmatch(after):
        raise Unreadable("`after` is the `next` of the page before")
    return page_of("deliveries", await context.deliveries.page(status, _selection(request), after))


async def _pauses(context: WebContext, _request: Request) -> Any:
    return {"pauses": await context.deliveries.pauses()}


async def _retries(context: WebContext, request: Request) -> Any:
    selection = _selection(request)
    statuses = _statuses(request, UNSENT, UNSENT)
    if selection == Selection(destination=selection.destination) and statuses is UNSENT:
        return await context.deliveries.retry_all(selection.destination)
    return await context.deliveries.retry(selection, statuses)


async def _resumptions(context: WebContext, request: Request) -> Any:
    return await context.deliveries.resume(_destination(request))


async def _tests(context: WebContext, request: Request) -> Any:
    return await context.deliveries.test(_destination(request))


def _statuses(
    request: Request, default: tuple[DeliveryStatus, ...], known: tuple[DeliveryStatus, ...]
) -> tuple[DeliveryStatus, ...]:
    asked = request.query_params.get("status")
    if asked is None:
        return default
    found = tuple(status for status in known if status == asked)
    if not found:
        raise Unreadable(f"`status` is one of {', '.join(f'`{each}`' for each in known)}")
    return found


def _destination(request: Request) -> str:
    name = request.query_params.get("destination")
    if not name:
        raise Unreadable("name the destination: `?destination=webhook`")
    return name


def _selection(request: Request) -> Selection:
    query = request.query_params
    return Selection(
        ids=tuple(query["id"].split(",")) if "id" in query else None,
        destination=query.get("destination"),
        type=query.get("type"),
        error=query.get("error"),
        since=_time(request, "since"),
        until=_time(request, "until"),
    )


def _time(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        found = None
    if found is None or found.tzinfo is None:
        raise Unreadable(f"`{name}` is a time with its zone, as 2026-11-21T12:00:00Z")
    return found


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/deliveries",
        label="deliveries",
        handler=_deliveries,
        operation_id="listDeliveries",
        roles=("read",),
        summary="List deliveries with their attempts, the oldest first",
        responses={200: Deliveries},
        statuses=(400,),
        parameters=(
            Parameter(
                "status",
                "query",
                required=False,
                schema={"type": "string", "enum": [*get_args(DeliveryStatus)]},
            ),
            *SELECTION,
            Parameter("after", "query", required=False),
        ),
    ),
    ApiRoute(
        path="/v1/deliveries/pauses",
        label="pauses",
        handler=_pauses,
        operation_id="listPauses",
        roles=("read",),
        summary="List the destinations to which nothing is sent, with their reasons",
        responses={200: Pauses},
    ),
    ApiRoute(
        method="POST",
        path="/v1/deliveries/retries",
        label="retries",
        handler=_retries,
        operation_id="retryDeliveries",
        roles=("operate",),
        summary="Send dead and waiting deliveries at once, and end pauses",
        responses={200: Retried},
        statuses=(400, 404),
        parameters=(
            Parameter("status", "query", required=False, schema={"type": "string", "enum": [*UNSENT]}),
            *SELECTION,
        ),
    ),
    ApiRoute(
        method="POST",
        path="/v1/deliveries/resumptions",
        label="resumptions",
        handler=_resumptions,
        operation_id="resumeDestination",
        roles=("operate",),
        summary="End the pause of a destination, and close its breaker",
        responses={200: Retried},
        statuses=(400, 404),
        parameters=(Parameter("destination", "query", required=True),),
    ),
    ApiRoute(
        method="POST",
        path="/v1/deliveries/tests",
        label="delivery_tests",
        handler=_tests,
        operation_id="testDestination",
        roles=("operate",),
        summary="Send a test push to a destination, and return what it answers",
        responses={200: Pushed},
        statuses=(400, 404),
        parameters=(Parameter("destination", "query", required=True),),
    ),
)
