"""`percentage_off`: a share of the order, or of the items that it applies to."""

from __future__ import annotations

from decimal import Decimal

from adapter.model.actions import PercentageOff
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ZERO, ActionType, Cart
from adapter.rules.action_types.members import FOR_ITEMS, for_items, lint_prefer
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: ActionBlock) -> PercentageOff | None:
    value = block.value("percent")
    members = for_items(block)
    return None if value is None else PercentageOff(value, **members)


def _worth(action: PercentageOff, cart: Cart) -> Decimal:
    """Return its share of the cart; of an unknown cart `max_amount`."""
    return (action.max_amount or ZERO) if cart.value is None else cart.value * action.value / 100


ACTION_TYPE = ActionType(
    kind=PercentageOff,
    parse=_parse,
    describe=lambda action: f"{action.value:f}% off",
    keys={**value_keys({**ABOVE_ZERO, "maximum": 100}, "percent"), **FOR_ITEMS},
    required=("value",),
    other_names={"percent": "value", "percentage": "value"},
    worth=_worth,
    lint=lambda block, action, facts: lint_prefer(block),
)
