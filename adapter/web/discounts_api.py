"""The discount API: a discount, its moves, and the moves that are pending."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct
from starlette.requests import Request

from adapter.errors import Unreadable
from adapter.model.discounts import Discount
from adapter.model.operations import DiscountMove
from adapter.model.pending import PendingMove
from adapter.model.quantities import units
from adapter.web.context import WebContext
from adapter.web.request_values import IDEMPOTENCY_KEY, code, idempotency_key, json_body
from adapter.web.route import ApiRoute, Handler, Route

VERBS = ("apply", "release", "redeem", "revoke")


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a move: the customer, the order and the reason, all optional.

    `units` is for a redemption alone: how many of the discount's units it takes, a number above 0.
    """

    source_id: str | None = None
    order_id: str | None = None
    reason: str | None = None
    units: Decimal | None = None


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
        asked = DiscountMove(
            verb, code(request), given.source_id, given.order_id, given.reason, _units(verb, given)
        )
        return await context.discounts.move(asked, idempotency_key(request))

    return move


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
            roles=("operate",) if verb == "revoke" else ("checkout",),
            summary=f"{verb.title()} a discount",
            body=Move,
            body_required=False,
            responses={200: Discount},
            statuses=(404, 409),
            parameters=(IDEMPOTENCY_KEY,),
        )
        for verb in VERBS
    ),
    ApiRoute(
        path="/v1/discounts/{code}/pending-moves",
        label="pending_moves_of",
        handler=_pending_moves_of,
        operation_id="listPendingMovesOfDiscount",
        roles=("read",),
        summary="List moves that wait until two customers are merged",
        responses={200: PendingMoves},
        statuses=(404,),
    ),
)
