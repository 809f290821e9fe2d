"""The discount API: a discount, its moves, and the moves that are pending."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request

from adapter.errors import NotFound, Unreadable
from adapter.model.discounts import Discount
from adapter.model.operations import DiscountMove
from adapter.model.pending import PendingMove
from adapter.model.quantities import units
from adapter.services.checkout.requests import Checkout
from adapter.web.checkout_api import caller_of, order_id_of, sent
from adapter.web.context import WebContext
from adapter.web.request_values import IDEMPOTENCY_KEY, code, idempotency_key, json_body, valid_id
from adapter.web.route import ApiRoute, Handler, Route

VERBS = ("apply", "release", "redeem", "revoke")


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a move: the customer, the order and the reason, all optional.

    `units`, `unit_type` and `order` are for a redemption alone. `units` is how many of the discount's units
    it takes, a number above 0, and `unit_type` says of which, where a code has several benefits. With
    `order`, the order with its lines as `POST /v1/redemptions` takes it, the amount is booked that the
    discount takes off.
    """

    source_id: str | None = None
    order_id: str | None = None
    reason: str | None = None
    units: Decimal | None = None
    unit_type: str | None = None
    order: dict[str, Any] | None = None


class PendingMoves(Struct):
    """Moves of discounts that wait until two customers are merged, or were rejected then; oldest first."""

    pending_moves: list[PendingMove]


async def _discount(context: WebContext, request: Request) -> Any:
    return await context.discounts.discount(code(request))


async def _pending_moves_of(context: WebContext, request: Request) -> Any:
    return {"pending_moves": await context.discounts.pending_moves_of(code(request))}


def _moving(verb: Any) -> Handler:
    async def move(context: WebContext, request: Request) -> Any:
        given = await json_body(context, request, Move)
        if given.order is not None:
            return await _redeem(context, request, verb, given)
        asked = DiscountMove(
            verb, code(request), given.source_id, given.order_id, given.reason, _units(verb, given),
            given.unit_type,
        )  # fmt: skip
        return await context.discounts.move(asked, idempotency_key(request))

    return move


async def _redeem(context: WebContext, request: Request, verb: str, given: Move) -> Any:
    """Redeem a code on an order with its lines, as the checkout does."""
    if verb != "redeem":
        raise Unreadable("`order` is for a redemption; hold amounts with `reserve` at /v1/validations")
    if given.units is not None or given.unit_type is not None:
        raise Unreadable("send `order` or `units`: lines say how many units are used")
    typed = code(request)
    asked = Checkout(
        codes=(typed,),
        customer={} if given.source_id is None else {"source_id": valid_id(given.source_id)},
        order=given.order,
        order_id=order_id_of((given.order or {}).get("id") if given.order_id is None else given.order_id),
    )
    response = await sent(context.checkout.redeem(asked, caller_of(request), idempotency_key(request)))
    found = msgspec.json.decode(bytes(response.body))
    if response.status_code != 200:
        if found["error"].get("reason") == "code_not_found":
            raise NotFound(found["error"]["message"])
        return response
    [booked] = found["redeemed"]
    return booked.get("discount") or await context.discounts.discount(booked["code"])


def _units(verb: str, given: Move) -> Decimal | None:
    if given.units is None:
        return None
    taken = units(given.units)
    if verb != "redeem" or not taken:
        raise Unreadable("`units` is how many a redemption takes: a number above 0")
    return taken


ROUTES: tuple[Route, ...] = (
    ApiRoute(
        path="/v1/discounts/{code}",
        label="discount",
        handler=_discount,
        operation_id="getDiscount",
        of_core=True,
        roles=("checkout", "read"),
        summary="Read a discount",
        responses={200: Discount},
        statuses=(404,),
    ),
    *(
        ApiRoute(
            method="POST",
            path=f"/v1/discounts/{{code}}/{verb}",
            label=verb,
            handler=_moving(verb),
            operation_id=f"{verb}Discount",
            of_core=True,
            roles=("operate",) if verb == "revoke" else ("checkout",),
            summary=f"{verb.title()} a discount",
            body=Move,
            body_required=False,
            responses={200: Discount},
            statuses=(404, 409, 422, 429) if verb == "redeem" else (404, 409),
            parameters=(IDEMPOTENCY_KEY,),
        )
        for verb in VERBS
    ),
    ApiRoute(
        path="/v1/discounts/{code}/pending-moves",
        label="pending_moves_of",
        handler=_pending_moves_of,
        operation_id="listPendingMovesOfDiscount",
        of_core=True,
        roles=("read",),
        summary="List moves that wait until two customers are merged",
        responses={200: PendingMoves},
        statuses=(404,),
    ),
)
