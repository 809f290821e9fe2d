"""`cheapest_item`: a share of one unit of the cheapest item."""

from __future__ import annotations

from adapter.model.actions import WHOLE, CheapestItem
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.members import FOR_ITEMS, for_items
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: Block) -> CheapestItem:
    percent, members = block.number("percent", highest=100), for_items(block)
    return CheapestItem(WHOLE if percent is None else percent, **members)


def _describe(action: CheapestItem) -> str:
    share = "free" if action.percent == 100 else f"{action.percent:f}% off"
    return f"the cheapest item {share}"


ACTION_TYPE = ActionType(
    kind=CheapestItem,
    parse=_parse,
    describe=_describe,
    keys={"percent": {**ABOVE_ZERO, "maximum": 100}, **FOR_ITEMS},
    other_names={"value": "percent", "percentage": "percent"},
)
