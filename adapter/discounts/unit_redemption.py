"""Discounts that are counted in units (minutes, unlocks), and redeemed in parts.

After a partial redemption the discount is `issued` again; with the last unit it is `redeemed`. An order
redeems once: a repeated redemption has no effect.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from adapter.errors import WrongMove
from adapter.model.actions import UnitOff, Use
from adapter.model.codes import code_of
from adapter.model.discounts import DiscountRecord
from adapter.model.operations import DiscountMove

#: Maximum number of uses, because each is stored with the discount and sent with it.
MOST_USES: Final = 1_000


def used(held: DiscountRecord, action: UnitOff, move: DiscountMove, now: datetime) -> DiscountRecord:
    """Return an open discount after a redemption of `move.units`, or of the remainder if that is less.

    Raises WrongMove with the reason.
    """
    order, left = move.order_id or held.order_id, action.remaining
    units = left if move.units is None else min(move.units, left)
    over = left == units
    if not over and len(action.uses) + 1 >= MOST_USES:
        code = code_of(held.discount.code)
        raise WrongMove(f"`{code}` was used {len(action.uses)} times; redeem the remainder")
    after = replace(action, left=left - units, uses=(*action.uses, Use(units, now, order)))
    return replace(
        held,
        discount=replace(held.discount, action=after, status="redeemed" if over else "issued"),
        moved_at=now,
        order_id=order if over else None,
        reason=move.reason or held.reason,
    )


def repeats(held: DiscountRecord, action: UnitOff, move: DiscountMove) -> bool:
    """Return whether a redemption is a repetition, by its order.

    Raises WrongMove when the order had another redemption.
    """
    use = next(
        (use for use in action.uses if move.order_id is not None and use.order_id == move.order_id), None
    )
    if use is None:
        return False
    most = use.units + action.remaining
    if (most if move.units is None else min(move.units, most)) == use.units:
        return True
    taken = f"{use.units:f} {action.unit_type} for order `{use.order_id}`"
    raise WrongMove(f"`{code_of(held.discount.code)}` gave {taken} already; an order is redeemed once")
