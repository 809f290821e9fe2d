"""The checkout API: validations, redemptions, rollbacks, holds and qualifications.

Amounts are numbers or text in requests, and text with the currency's digits in responses.
"""

from __future__ import annotations

from collections.abc import Awaitable
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from adapter.errors import Unreadable
from adapter.pricing import InvalidOrder
from adapter.services.checkout.failed_codes import TooManyFailedCodes
from adapter.services.checkout.replies import Reply, refusal
from adapter.services.checkout.requests import Checkout, Reserve, Returned, RollBack
from adapter.web.auth import bearer_token
from adapter.web.context import WebContext
from adapter.web.request_values import (
    BEFORE,
    IDEMPOTENCY_KEY,
    before,
    idempotency_key,
    json_body,
    valid_id,
)
from adapter.web.route import OBJECT, ApiRoute, Handler, Parameter, Route

Mode = Literal["reject", "best", "exclusive_first"]
#: The codes of error responses that only the checkout has; docs/errors.md has a heading for each.
ERROR_CODES = (
    "invalid_order", "too_many_codes", "total_mismatch", "order_needed", "no_codes", "not_redeemable",
    "idempotency_key_reused", "answer_erased", "invalid_ttl", "order_differs", "too_many_failed_codes",
    "hold_confirmed", "hold_expired", "hold_released",
    "already_refunded", "more_than_was_bought", "more_than_was_redeemed", "not_redeemed", "amounts_unknown",
    "invalid_quantity", "invalid_amount", "unknown_line",
    "invalid_codes",
)  # fmt: skip
#: Faults of an order that say that it is too long, not that it is wrong.
_TOO_MUCH = frozenset(("too_many_lines", "order_too_large"))


class Asked(Struct, frozen=True, kw_only=True):
    """The codes for an order: `codes` as typed, or with `best` all that the customer holds.

    `order` has `currency`, `lines`, `shipping` and perhaps `total`; members that are not known are kept as
    attributes. `reserve` holds the uses for so many seconds, `hold` redeems such a hold. With `strict` an
    order whose lines do not add up to its total is refused. `source_id` is short for that of `customer`.
    """

    codes: list[str] = []
    best: bool = False
    customer: dict[str, Any] = {}
    source_id: str | None = None
    order: dict[str, Any] | None = None
    context: dict[str, Any] = {}
    order_id: str | int | None = None
    mode: Mode = "reject"
    strict: bool = False
    reserve: Reserve | None = None
    hold: str | None = None


class AskedBack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is rolled back: units of `lines`, an `amount` of what the codes took, or all without either."""

    lines: list[Returned] | None = None
    amount: Any = None
    reason: str | None = None


async def _validate(context: WebContext, request: Request) -> Any:
    asked = _asked(await json_body(context, request, Asked))
    return await sent(context.checkout.validate(asked, caller_of(request), idempotency_key(request)))


async def _redeem(context: WebContext, request: Request) -> Any:
    asked = _asked(await json_body(context, request, Asked))
    return await sent(context.checkout.redeem(asked, caller_of(request), idempotency_key(request)))


async def _qualify(context: WebContext, request: Request) -> Any:
    return await sent(context.checkout.qualify(_asked(await json_body(context, request, Asked))))


async def _roll_back(context: WebContext, request: Request) -> Any:
    given = await json_body(context, request, AskedBack)
    lines = None if given.lines is None else tuple(given.lines)
    asked = RollBack(redemption=_id(request), lines=lines, amount=given.amount, reason=given.reason)
    return await sent(context.checkout.roll_back(asked, caller_of(request), idempotency_key(request)))


async def _release(context: WebContext, request: Request) -> Any:
    return await sent(context.checkout.release(_id(request)))


async def _read(context: WebContext, request: Request) -> Any:
    return await sent(context.checkout.redemption(_id(request)))


async def _rollbacks(context: WebContext, request: Request) -> Any:
    return await sent(context.checkout.rollbacks(_id(request)))


def _listing(*, holds: bool) -> Handler:
    async def redemptions(context: WebContext, request: Request) -> Any:
        filters: dict[str, Literal["customer", "order", "code"]] = {
            "source_id": "customer",
            "order_id": "order",
            "code": "code",
        }
        named = [(by, value) for name, by in filters.items() if (value := request.query_params.get(name))]
        if len(named) > 1:
            raise Unreadable("name one of `source_id`, `order_id` and `code`")
        if not named:
            return await sent(context.checkout.redemptions("all", "", before(request), holds=holds))
        [(by, value)] = named
        return await sent(context.checkout.redemptions(by, value, before(request), holds=holds))

    return redemptions


class PoolCodes(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes to be handed out one by one, in this order."""

    codes: list[str]


async def _add_codes(context: WebContext, request: Request) -> Any:
    given = await json_body(context, request, PoolCodes)
    return await sent(context.checkout.add_codes(request.path_params["name"], given.codes))


async def _pools(context: WebContext, request: Request) -> Any:
    return await sent(context.checkout.pools())


def _customer(given: Asked) -> dict[str, Any]:
    """Return the customer, with `source_id` from either place; raises Unreadable."""
    named = given.customer.get("source_id")
    source_id = given.source_id if named is None else named
    if source_id is None:
        return given.customer
    if not isinstance(source_id, str):
        raise Unreadable("`customer.source_id` must be text")
    if given.source_id not in {None, source_id}:
        raise Unreadable("`source_id` and `customer.source_id` are not the same: send one of them")
    return given.customer | {"source_id": valid_id(source_id)}


def _asked(given: Asked) -> Checkout:
    order_id = given.order_id if given.order_id is not None else (given.order or {}).get("id")
    return Checkout(
        codes=tuple(given.codes),
        best=given.best,
        customer=_customer(given),
        order=given.order,
        context=given.context,
        order_id=order_id_of(order_id),
        mode=given.mode,
        strict=given.strict,
        reserve=given.reserve,
        hold=given.hold,
    )


def order_id_of(given: Any) -> str:
    """Return the id of an order, empty where there is none; raises Unreadable."""
    if given is None or isinstance(given, str):
        return given or ""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise Unreadable("`order_id` must be text")


def _id(request: Request) -> str:
    try:
        return unquote_to_bytes(request.path_params["id"]).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the path is not percent-encoded UTF-8 text") from error


def caller_of(request: Request) -> str:
    """Return what tells the callers' tokens apart, without the token."""
    token = bearer_token(dict(request.scope["headers"])) or ""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()[:16]


async def sent(asked: Awaitable[Reply]) -> Response:
    """Return a reply of the checkout as a response."""
    headers = {}
    try:
        reply = await asked
    except InvalidOrder as error:
        status = 422 if any(one.code in _TOO_MUCH for one in error.problems) else 400
        problems = msgspec.to_builtins(error.problems)
        reply = refusal(error.code, error.message, status, problems=problems)
    except TooManyFailedCodes as error:
        reply = refusal(error.code, error.message, 429)
        headers = {"Retry-After": str(error.retry_after)}
    return Response(bytes(reply.body), reply.status, headers, "application/json")


def _filter(name: str) -> Parameter:
    return Parameter(name, "query", required=False)


_FILTERS = (_filter("source_id"), _filter("order_id"), _filter("code"), BEFORE)

ROUTES: tuple[Route, ...] = (
    ApiRoute(
        method="POST",
        path="/v1/validations",
        label="validations",
        handler=_validate,
        operation_id="validate",
        of_core=True,
        roles=("checkout",),
        summary="Say what codes take off an order, and hold them where asked to",
        body=Asked,
        responses={200: OBJECT},
        statuses=(409, 422, 429),
        parameters=(IDEMPOTENCY_KEY,),
    ),
    ApiRoute(
        method="POST",
        path="/v1/qualifications",
        label="qualifications",
        handler=_qualify,
        operation_id="qualify",
        of_core=True,
        roles=("checkout",),
        summary="Say what a customer holds and what an order would get of it",
        body=Asked,
        responses={200: OBJECT},
        statuses=(422,),
    ),
    ApiRoute(
        method="POST",
        path="/v1/redemptions",
        label="redeem_order",
        handler=_redeem,
        operation_id="redeem",
        of_core=True,
        roles=("checkout",),
        summary="Book codes on an order: all of them or none",
        body=Asked,
        responses={200: OBJECT},
        statuses=(404, 409, 422, 429),
        parameters=(IDEMPOTENCY_KEY,),
    ),
    ApiRoute(
        path="/v1/redemptions",
        label="redemptions_list",
        handler=_listing(holds=False),
        operation_id="listRedemptions",
        of_core=True,
        roles=("checkout", "read"),
        summary="List redemptions, newest first",
        responses={200: OBJECT},
        statuses=(400,),
        parameters=_FILTERS,
    ),
    ApiRoute(
        path="/v1/redemptions/{id}",
        label="redemption",
        handler=_read,
        operation_id="getRedemption",
        of_core=True,
        roles=("checkout", "read"),
        summary="Read a redemption",
        responses={200: OBJECT},
        statuses=(404,),
    ),
    ApiRoute(
        method="POST",
        path="/v1/redemptions/{id}/rollbacks",
        label="roll_back",
        handler=_roll_back,
        operation_id="rollBack",
        of_core=True,
        roles=("checkout",),
        summary="Roll back a redemption, whole or in part",
        body=AskedBack,
        body_required=False,
        responses={200: OBJECT},
        statuses=(404, 409),
        parameters=(IDEMPOTENCY_KEY,),
    ),
    ApiRoute(
        path="/v1/redemptions/{id}/rollbacks",
        label="rollbacks_list",
        handler=_rollbacks,
        operation_id="listRollbacks",
        of_core=True,
        roles=("checkout", "read"),
        summary="List the rollbacks of a redemption, oldest first",
        responses={200: OBJECT},
        statuses=(404,),
    ),
    ApiRoute(
        path="/v1/holds",
        label="holds",
        handler=_listing(holds=True),
        operation_id="listHolds",
        of_core=True,
        roles=("checkout", "read"),
        summary="List holds that were not redeemed, newest first",
        responses={200: OBJECT},
        statuses=(400,),
        parameters=_FILTERS,
    ),
    ApiRoute(
        path="/v1/holds/{id}",
        label="hold",
        handler=_read,
        operation_id="getHold",
        of_core=True,
        roles=("checkout", "read"),
        summary="Read a hold",
        responses={200: OBJECT},
        statuses=(404,),
    ),
    ApiRoute(
        method="DELETE",
        path="/v1/holds/{id}",
        label="hold_release",
        handler=_release,
        operation_id="releaseHold",
        of_core=True,
        roles=("checkout",),
        summary="Release a hold",
        responses={200: OBJECT},
        statuses=(404, 409),
    ),
    ApiRoute(
        method="POST",
        path="/v1/code-pools/{name}/codes",
        label="pool_codes",
        handler=_add_codes,
        operation_id="addPoolCodes",
        of_core=True,
        roles=("operate",),
        summary="Add codes to a pool, to be handed out one by one",
        body=PoolCodes,
        responses={200: OBJECT},
        statuses=(422,),
    ),
    ApiRoute(
        path="/v1/code-pools",
        label="code_pools",
        handler=_pools,
        operation_id="listCodePools",
        of_core=True,
        roles=("read",),
        summary="List code pools with how many codes each has left",
        responses={200: OBJECT},
    ),
)
