"""`shipping_amount`: an amount off the price of delivery."""

from __future__ import annotations

from decimal import Decimal

from adapter.model.actions import ShippingAmount
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ActionType, Cart, in_currency
from adapter.rules.action_types.members import EVERY_ACTION, every_action
from adapter.rules.action_types.shipping import SHIPPING, delivery, of_delivery
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: ActionBlock) -> ShippingAmount | None:
    value, members = block.value("money"), every_action(block)
    named = delivery(block)
    return None if value is None else ShippingAmount(value, *named, **members)


def _worth(action: ShippingAmount, cart: Cart) -> Decimal:
    return action.value if cart.shipping is None else min(action.value, cart.shipping)


ACTION_TYPE = ActionType(
    kind=ShippingAmount,
    parse=_parse,
    describe=lambda action: f"{action.value:f}{in_currency(action)} off shipping" + of_delivery(action),
    keys={**value_keys(ABOVE_ZERO, "money"), **SHIPPING, **EVERY_ACTION},
    either=("value", "currencies"),
    other_names={"amount": "value"},
    worth=_worth,
    of_shipping=True,
    most=lambda action: action.value,
    money=("value",),
)
