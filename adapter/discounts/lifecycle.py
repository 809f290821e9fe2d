"""The moves of a discount: issued, applied, redeemed, expired, revoked.

issued  --apply-->  applied  --redeem-->  redeemed
issued  --redeem->  redeemed                issued, applied --redeem some of its units--> issued
applied --release-> issued
issued, applied --revoke-> revoked          issued, applied --(time)--> expired
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from adapter.discounts.benefits import joined, moved_together, split, unapplied
from adapter.discounts.unit_redemption import repeats, used
from adapter.errors import WrongMove
from adapter.model.actions import UnitOff
from adapter.model.codes import code_of
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
    code, status, target = code_of(held.discount.code), held.status_at(now), _TARGET[move.verb]
    if owner is not None and owner != held.source_id:
        raise WrongMove(f"`{code}` belongs to another customer")
    if move.verb == "expire":
        return _expired(held, status, now)
    if held.benefits is not UNSET and (move.units is not None or move.unit_type is not None):
        return _benefit_moved(held, move, now)
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
        raise _only_in_part(held)
    order_id = None if move.verb == "release" else move.order_id or held.order_id
    after = moved_together(held, target, now, order_id)
    if move.verb == "redeem" and held.benefits is not UNSET:
        after = _emptied(held, move, now)
    return replace(after, reason=move.reason or held.reason)


def _emptied(held: DiscountRecord, move: DiscountMove, now: datetime) -> DiscountRecord:
    """Return a code whose benefits are all redeemed, for the order of the move."""
    order_id = move.order_id or held.order_id
    parts = []
    for part in split(held):
        if part.discount.status == "redeemed":
            parts.append(part)
        elif part.terms.rest is not None:
            raise _only_in_part(held)
        elif isinstance(part.discount.action, UnitOff):
            parts.append(used(part, part.discount.action, move, now))
        else:
            redeemed = replace(part.discount, status="redeemed")
            parts.append(replace(part, discount=redeemed, moved_at=now, order_id=order_id))
    return replace(joined(held, parts), order_id=order_id)


def _benefit_moved(held: DiscountRecord, move: DiscountMove, now: datetime) -> DiscountRecord:
    """Redeem units of one of several benefits: the one of the move's unit type, or the only one in units."""
    code, parts = held.discount.code, list(split(held))
    if move.verb != "redeem":
        raise WrongMove(f"{move.verb} `{code}` without `units`: it moves with all its benefits")
    types = {
        at: part.discount.action.unit_type
        for at, part in enumerate(parts)
        if isinstance(part.discount.action, UnitOff)
    }
    asked = [at for at, unit_type in types.items() if move.unit_type in (None, unit_type)]
    if len(asked) != 1:
        known = " or ".join(f"`{unit_type}`" for unit_type in dict.fromkeys(types.values()))
        known = f"write `unit_type`, {known}" if known else "none of them is in units"
        raise WrongMove(f"`{code}` has several benefits: {known}")
    [at] = asked
    status = held.status_at(now)
    if status in ("expired", "revoked"):
        raise WrongMove(f"cannot redeem `{code}`: {_standing(held, status)}")
    after = moved(parts[at], replace(move, unit_type=None), None, now)
    if after is parts[at]:
        return held
    # An application ends with the first use, for the other benefits too.
    applied = [part.discount.status == "applied" and part.terms.held_by is None for part in parts]
    parts = [unapplied(part) if ended else part for part, ended in zip(parts, applied, strict=True)]
    parts[at] = after
    return joined(held, parts)


def _only_in_part(held: DiscountRecord) -> WrongMove:
    return WrongMove(f"only a part of `{held.discount.code}` is left: redeem it with the lines of the order")


def _counted(held: DiscountRecord, move: DiscountMove) -> UnitOff | None:
    """Return the action whose units are redeemed, None where it has no units."""
    if held.benefits is not UNSET:
        return None
    action = held.discount.action
    if move.verb == "redeem" and isinstance(action, UnitOff):
        if move.unit_type not in (None, action.unit_type):
            raise WrongMove(f"`{held.discount.code}` is in {action.unit_type}, not in {move.unit_type}")
        return action
    if move.units is not None or move.unit_type is not None:
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
    return moved_together(held, "expired", now, held.order_id)


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
