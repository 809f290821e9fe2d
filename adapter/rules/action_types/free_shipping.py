"""`free_shipping`: delivery costs nothing."""

from __future__ import annotations

from adapter.model.actions import FreeShipping
from adapter.rules.action_types.contract import ZERO, ActionType
from adapter.rules.action_types.members import EVERY_ACTION, every_action
from adapter.rules.action_types.shipping import SHIPPING, delivery, of_delivery
from adapter.rules.blocks.block import Block


def _parse(block: Block) -> FreeShipping:
    return FreeShipping(*delivery(block), **every_action(block))


ACTION_TYPE = ActionType(
    kind=FreeShipping,
    parse=_parse,
    describe=lambda action: "free shipping" + of_delivery(action),
    keys={**SHIPPING, **EVERY_ACTION},
    worth=lambda action, cart: cart.shipping or ZERO,
    of_shipping=True,
)
