"""`percentage_off`: a share of the cart."""

from __future__ import annotations

from decimal import Decimal

from adapter.model.discounts import PercentageOff
from adapter.rules.action_types.contract import ZERO, ActionType, Cart
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: Block) -> PercentageOff | None:
    value = block.number("value", highest=100, required=True)
    most = block.number("max_amount")
    return None if value is None else PercentageOff(value, most)


def _worth(action: PercentageOff, cart: Cart) -> Decimal:
    """Return its share of the cart; of an unknown cart `max_amount`."""
    if cart.value is None:
        return action.max_amount or ZERO
    share = cart.value * action.value / 100
    return share if action.max_amount is None else min(share, action.max_amount)


def _describe(action: PercentageOff) -> str:
    most = action.max_amount
    return f"{action.value:f}% off" + ("" if most is None else f", at most {most:f}")


ACTION_TYPE = ActionType(
    kind=PercentageOff,
    parse=_parse,
    describe=_describe,
    keys={"value": {**ABOVE_ZERO, "maximum": 100}, "max_amount": ABOVE_ZERO},
    required=("value",),
    other_names={
        "percent": "value",
        "percentage": "value",
        "cap": "max_amount",
        "max_discount": "max_amount",
    },
    worth=_worth,
    most=lambda action: action.max_amount,
    bound="max_amount",
    money=lambda action: {"max_amount": action.max_amount},
)
