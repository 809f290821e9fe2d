"""`shipping_percentage`: a share of the price of delivery."""

from __future__ import annotations

from adapter.model.actions import ShippingPercentage
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ZERO, ActionType
from adapter.rules.action_types.members import EVERY_ACTION, every_action
from adapter.rules.action_types.shipping import SHIPPING, delivery, of_delivery
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: ActionBlock) -> ShippingPercentage | None:
    value, members = block.value("percent"), every_action(block)
    named = delivery(block)
    return None if value is None else ShippingPercentage(value, *named, **members)


ACTION_TYPE = ActionType(
    kind=ShippingPercentage,
    parse=_parse,
    describe=lambda action: f"{action.value:f}% off shipping" + of_delivery(action),
    keys={**value_keys({**ABOVE_ZERO, "maximum": 100}, "percent"), **SHIPPING, **EVERY_ACTION},
    required=("value",),
    other_names={"percent": "value", "percentage": "value"},
    worth=lambda action, cart: (cart.shipping or ZERO) * action.value / 100,
    of_shipping=True,
)
