"""`amount_off`: an amount off the cart, from a minimum up."""

from __future__ import annotations

from decimal import Decimal

from adapter.model.discounts import AmountOff
from adapter.rules.action_types.contract import ZERO, ActionType, Cart, in_currency
from adapter.rules.action_types.minimum import lint
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import currency
from adapter.rules.blocks.schema import ABOVE_ZERO, CURRENCY


def _parse(block: Block) -> AmountOff | None:
    value, least = block.number("value", required=True), block.number("min_cart_value")
    if value is not None and least is not None and least < value:
        block.refuse(("min_cart_value",), f"`{least}` is less than the amount off, {value}",
                     "ask for a cart that is worth more than what it gets off")  # fmt: skip
    code = currency(block)
    return None if value is None else AmountOff(value, least, code)


def _worth(action: AmountOff, cart: Cart) -> Decimal:
    if cart.value is None:
        return action.value
    reached = action.min_cart_value is None or cart.value >= action.min_cart_value
    return min(action.value, cart.value) if reached else ZERO


def _describe(action: AmountOff) -> str:
    least = action.min_cart_value
    off = f"{action.value:f}{in_currency(action.currency)} off"
    return off if least is None else f"{off} from {least:f} up"


ACTION_TYPE = ActionType(
    kind=AmountOff,
    parse=_parse,
    describe=_describe,
    keys={"value": ABOVE_ZERO, "min_cart_value": ABOVE_ZERO, "currency": CURRENCY},
    required=("value",),
    other_names={"amount": "value", "min_order_value": "min_cart_value"},
    worth=_worth,
    most=lambda action: action.value,
    bound="value",
    money=lambda action: {"value": action.value, "min_cart_value": action.min_cart_value},
    lint=lambda block, action, facts: lint(block, action.min_cart_value, facts),
)
