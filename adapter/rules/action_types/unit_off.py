"""`unit_off`: units of some kind (minutes, unlocks) are free. They have no worth that could be compared."""

from __future__ import annotations

from adapter.files.schemas import TEXT
from adapter.model.actions import UnitOff
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.members import FOR_ITEMS, for_items
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: ActionBlock) -> UnitOff | None:
    value, unit = block.value("units"), block.text("unit_type", required=True)
    members = for_items(block)
    return None if value is None or unit is None else UnitOff(value, unit, **members)


def _describe(action: UnitOff) -> str:
    left = action.left
    return f"{action.value:f} {action.unit_type} free" + ("" if left is None else f", {left:f} left")


ACTION_TYPE = ActionType(
    kind=UnitOff,
    parse=_parse,
    describe=_describe,
    keys={**value_keys(ABOVE_ZERO, "units"), "unit_type": TEXT, **FOR_ITEMS},
    required=("value", "unit_type"),
    other_names={"units": "value", "unit": "unit_type"},
)
