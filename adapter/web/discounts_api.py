"""The native API: discounts, what led to them, and what a person may ask, for checkout and support desk."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapter.errors import NotFound, Unreadable
from adapter.model.encoding import encode
from adapter.model.ids import fault
from adapter.model.operations import DiscountMove
from adapter.model.pages import Page
from adapter.model.quantities import units
from adapter.model.quarantine import Excerpt, unmapped
from adapter.web.auth import bearer, enter, require
from adapter.web.context import WebContext
from adapter.web.disconnects import while_there
from adapter.web.long_responses import Answering
from adapter.web.query_string import require_exact
from adapter.web.request_body import read

VERBS = ("apply", "release", "redeem", "revoke")
#: As long as Stripe's (https://docs.stripe.com/api/idempotent_requests).
MAX_KEY = 255

#: An entry's id; the stores count up to 63 bits.
_ENTRY = re.compile("[0-9]{1,18}")

Ask = Callable[[WebContext, Request], Awaitable[Any]]


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a move, all of it optional: whose discount, for which order, why.

    `units` belong to a redemption: how many of the discount's units it takes, a number above 0.
    """

    source_id: str | None = None
    order_id: str | None = None
    reason: str | None = None
    units: Decimal | None = None


class Entry(Excerpt, frozen=True, kw_only=True):
    """A quarantined message in a list, and where it is found `whole`."""

    whole: str


def routes(doors: WebContext) -> list[Route]:
    """Return the native API's routes, which match paths as they were sent, before `%2F` becomes a slash.

    Customers' ids may hold slashes that were sent as such too, so the longer paths come first.
    """
    return [
        _route(doors, "/v1/discounts/{code}", _discount),
        *(_route(doors, f"/v1/discounts/{{code}}/{verb}", _moving(verb), "POST") for verb in VERBS),
        _route(doors, "/v1/customers/{source_id:path}/discounts", _discounts),
        _route(doors, "/v1/customers/{source_id:path}/events", _events),
        _route(doors, "/v1/customers/{source_id:path}/pending-moves", _pending_moves),
        _route(doors, "/v1/discounts/{code}/pending-moves", _pending_moves_of),
        _route(doors, "/v1/customers/{source_id:path}/export", _export),
        _route(doors, "/v1/customers/{source_id:path}", _customer),
        _route(doors, "/v1/customers/{source_id:path}", _erase, "DELETE"),
        _route(doors, "/v1/decisions", _decisions),
        _route(doors, "/v1/ignored", _ignored),
        _route(doors, "/v1/quarantine", _quarantine),
        _route(doors, "/v1/deliveries/pauses", _pauses),
        _route(doors, "/v1/deliveries/retries", _retries, "POST"),
        _route(doors, "/v1/quarantine/{id}", _quarantined),
    ]


def authorise(doors: WebContext, request: Request) -> None:
    """Raise Unauthorised unless the caller shows one of `api.tokens`."""
    tokens = doors.settings.api.tokens
    headers = dict(request.scope["headers"])
    if tokens:
        require(
            bearer(headers),
            tokens,
            missing="no token: send `Authorization: Bearer TOKEN`",
            wrong="the token is not one of `api.tokens`",
        )
    else:
        enter(headers, "api.tokens", auth_disabled=doors.auth_disabled)


def _route(doors: WebContext, path: str, ask: Ask, method: str = "GET") -> Route:
    async def endpoint(request: Request) -> Response:
        authorise(doors, request)
        require_exact(request.scope["query_string"])
        asked = ask(doors, request)
        if method == "GET":
            asked = while_there(request.receive, asked)
        found = await asked
        if isinstance(found, Response):
            return found
        return Answering(encode(found), doors.answers)

    return Route(path, endpoint, methods=[method], name=ask.__name__.strip("_"))


def _code(request: Request) -> str:
    """Return a code from the path, as it was typed; none is as long as the limit."""
    code = _decoded(request, "code")
    if len(code) > 1_000:
        raise NotFound("there is nothing under that name")
    return code


def _customer_id(request: Request) -> str:
    """Return a customer's id from the path."""
    return _one(_decoded(request, "source_id"))


def _decoded(request: Request, parameter: str) -> str:
    try:
        return unquote_to_bytes(request.path_params[parameter]).decode()
    except UnicodeDecodeError as error:
        # With its bytes replaced it would be somebody else's.
        raise Unreadable("the path is not UTF-8 text behind its percent signs; encode it so") from error


def _one(source_id: str) -> str:
    """Return the id of one customer; raises Unreadable where it cannot be any."""
    wrong = fault(source_id)
    if wrong is not None:
        raise Unreadable(wrong)
    return source_id


def _before(request: Request) -> str | None:
    return request.query_params.get("before")


def _listed(name: str, page: Page[Any]) -> dict[str, Any]:
    return {name: page, "next": page.next}


async def _discount(doors: WebContext, request: Request) -> Any:
    return await doors.checkout.discount(_code(request))


async def _discounts(doors: WebContext, request: Request) -> Any:
    return _listed("discounts", await doors.checkout.discounts(_customer_id(request), _before(request)))


async def _events(doors: WebContext, request: Request) -> Any:
    return _listed("events", await doors.checkout.events(_customer_id(request), _before(request)))


async def _pending_moves(doors: WebContext, request: Request) -> Any:
    return {"pending_moves": await doors.checkout.pending_moves(_customer_id(request))}


async def _pending_moves_of(doors: WebContext, request: Request) -> Any:
    return {"pending_moves": await doors.checkout.pending_moves_of(_code(request))}


async def _customer(doors: WebContext, request: Request) -> Any:
    return await doors.checkout.customer(_customer_id(request))


async def _export(doors: WebContext, request: Request) -> Any:
    pieces = doors.privacy.export(_customer_id(request))
    return StreamingResponse(_after(await anext(pieces), pieces), media_type="application/json")


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


async def _erase(doors: WebContext, request: Request) -> Any:
    return await doors.privacy.erase(_customer_id(request))


async def _decisions(doors: WebContext, request: Request) -> Any:
    source_id = request.query_params.get("source_id", "")
    if not source_id:
        raise Unreadable("name the customer: `/v1/decisions?source_id=...`")
    event_id = request.query_params.get("event_id") or None
    if event_id is not None:
        return {"decisions": await doors.checkout.decisions_on(_one(source_id), event_id), "next": None}
    listed = _listed("decisions", await doors.checkout.decisions(_one(source_id), _before(request)))
    if _before(request) is None:
        listed["quarantined"] = list(map(unmapped, await doors.checkout.quarantined_of(source_id)))
    return listed


async def _ignored(doors: WebContext, request: Request) -> Any:
    return {"ignored": await doors.checkout.ignored()}


async def _quarantine(doors: WebContext, request: Request) -> Any:
    before = request.query_params.get("before")
    if before is not None and not _ENTRY.fullmatch(before):
        raise Unreadable("`before` is the `id` of a quarantined message: `/v1/quarantine?before=120`")
    found = await doors.checkout.quarantined(None if before is None else int(before))
    return {"quarantined": [Entry(**asdict(each), whole=f"/v1/quarantine/{each.id}") for each in found]}


async def _quarantined(doors: WebContext, request: Request) -> Any:
    given = request.path_params["id"]
    if not _ENTRY.fullmatch(given):
        raise NotFound("there is no such message in quarantine: name one by its `id`")
    return await doors.checkout.quarantined_message(int(given))


async def _pauses(doors: WebContext, request: Request) -> Any:
    return {"pauses": await doors.deliveries.pauses()}


async def _retries(doors: WebContext, request: Request) -> Any:
    return await doors.deliveries.retry_all(request.query_params.get("destination"))


def _moving(verb: Any) -> Ask:
    async def move(doors: WebContext, request: Request) -> Any:
        server = doors.settings.server
        body = await read(
            dict(request.scope["headers"]),
            request.receive,
            server.max_body_bytes,
            server.body_timeout_seconds,
            doors.room,
        )
        given = _given(body)
        code, taken = _code(request), _units(verb, given)
        asked = DiscountMove(verb, code, given.source_id, given.order_id, given.reason, taken)
        return await doors.checkout.move(asked, _idempotency_key(request))

    move.__name__ = verb
    return move


def _given(body: bytes) -> Move:
    if not body.strip():
        return Move()
    try:
        return msgspec.json.decode(body, type=Move)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        wrong = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        fields = ", ".join(f"`{name}`" for name in Move.__struct_fields__)
        message = f"the body is not what a move takes: {wrong}; it may hold {fields}"
        raise Unreadable(message) from error


def _units(verb: str, given: Move) -> Decimal | None:
    if given.units is None:
        return None
    taken = units(given.units)
    if verb != "redeem" or not taken:
        raise Unreadable("`units` is how many a redemption takes: a number above 0")
    return taken


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise Unreadable(f"Idempotency-Key is longer than {MAX_KEY} characters, or not printable")
    return key or None
