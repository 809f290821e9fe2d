"""The moves of a discount: issued, applied, redeemed, expired, revoked.

issued  --apply-->  applied  --redeem-->  redeemed
issued  --redeem->  redeemed                issued, applied --redeem some of its units--> issued
applied --release-> issued
issued, applied --revoke-> revoked          issued, applied --(time)--> expired
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from adapter.discounts.unit_redemption import repeats, used
from adapter.errors import WrongMove
from adapter.model.actions import UnitOff
from adapter.model.discounts import DiscountRecord, Status
from adapter.model.operations import DiscountMove

_TARGET: Final[dict[str, Status]] = {
    "apply": "applied",
    "release": "issued",
    "redeem": "redeemed",
    "revoke": "revoked",
    "expire": "expired",
}
_FROM: Final[dict[str, frozenset[Status]]] = {
    "apply": frozenset({"issued"}),
    "release": frozenset({"applied"}),
    "redeem": frozenset({"issued", "applied"}),
    "revoke": frozenset({"issued", "applied"}),
}


def moved(held: DiscountRecord, move: DiscountMove, owner: str | None, now: datetime) -> DiscountRecord:
    """Return the discount after the move; the same object when the move is a repetition.

    `owner` is the source_id of the customer that moves it, None where it is unknown.
    Raises WrongMove with the reason.
    """
    code, status, target = held.discount.code, held.status_at(now), _TARGET[move.verb]
    if owner is not None and owner != held.source_id:
        raise WrongMove(f"`{code}` belongs to another customer")
    if move.verb == "expire":
        return _expired(held, status, now)
    counted = _counted(held, move)
    if counted is not None and repeats(held, counted, move):
        return held
    if status == target and _repeats(move, held.order_id):
        return held
    if status not in _FROM[move.verb]:
        raise WrongMove(f"cannot {move.verb} `{code}`: {_standing(held, status)}")
    if counted is not None:
        return used(held, counted, move, now)
    if move.verb == "redeem" and held.terms.rest is not None:
        raise WrongMove(f"only a part of `{code}` is left: redeem it with the lines of the order")
    return replace(
        held,
        discount=replace(held.discount, status=target),
        moved_at=now,
        order_id=None if move.verb == "release" else move.order_id or held.order_id,
        reason=move.reason or held.reason,
    )


def _counted(held: DiscountRecord, move: DiscountMove) -> UnitOff | None:
    """Return the action whose units are redeemed, None where it has no units."""
    action = held.discount.action
    if move.verb == "redeem" and isinstance(action, UnitOff):
        return action
    if move.units is not None:
        raise WrongMove(f"`{held.discount.code}` is not counted in units; {move.verb} it without `units`")
    return None


def _repeats(move: DiscountMove, order_id: str | None) -> bool:
    """Return whether a move to the current status is a repetition of the move that led to it.

    A redemption without an order is not: a second use of the code would look the same.
    """
    if move.units is not None:
        return False
    if move.verb == "redeem":
        return move.order_id is not None and move.order_id == order_id
    return move.verb != "release" and order_id == (move.order_id or order_id)


def _expired(held: DiscountRecord, status: Status, now: datetime) -> DiscountRecord:
    if status != "expired":
        raise WrongMove(f"`{held.discount.code}` has not expired")
    if held.discount.status == "expired":
        return held
    return replace(held, discount=replace(held.discount, status="expired"), moved_at=now)


def _standing(held: DiscountRecord, status: Status) -> str:
    if status == "expired":
        return f"it expired at {held.discount.expires_at:%Y-%m-%dT%H:%M:%SZ}"
    order = f" order `{held.order_id}`" if held.order_id else ""
    words: dict[Status, str] = {
        "issued": "it is not applied",
        "applied": "it is already applied" + (f" to{order}" if order else ""),
        "redeemed": "it was redeemed" + (f" with{order}" if order else ""),
        "revoked": "it was revoked" + (f": {held.reason}" if held.reason else ""),
    }
    return words[status]
