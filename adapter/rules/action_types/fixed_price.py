"""`fixed_price`: each unit, or each set of units, costs an amount instead of its price."""

from __future__ import annotations

from adapter.files.schemas import Schema
from adapter.model.actions import FixedPrice
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ActionType, in_currency
from adapter.rules.action_types.members import FOR_ITEMS, for_items
from adapter.rules.blocks.schema import AMOUNT

#: The most units of one set, and of one reward.
MOST_UNITS = 1000
SET: Schema = {"type": "integer", "minimum": 2, "maximum": MOST_UNITS}


def _parse(block: ActionBlock) -> FixedPrice | None:
    value = block.value("money", above=None)
    size, members = block.whole("set_quantity", 2, MOST_UNITS), for_items(block)
    return None if value is None else FixedPrice(value, size, **members)


def _describe(action: FixedPrice) -> str:
    each = "each unit" if action.set_quantity is None else f"{action.set_quantity} units together"
    return f"{each} for {action.value:f}{in_currency(action)}"


ACTION_TYPE = ActionType(
    kind=FixedPrice,
    parse=_parse,
    describe=_describe,
    keys={**value_keys(AMOUNT, "money"), "set_quantity": SET, **FOR_ITEMS},
    either=("value", "currencies"),
    other_names={"price": "value", "quantity": "set_quantity", "set_size": "set_quantity"},
    money=("value",),
)
