"""`free_units`: so many units that are in the order cost nothing."""

from __future__ import annotations

from adapter.model.actions import FreeUnits
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.members import FOR_ITEMS, for_items
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: Block) -> FreeUnits | None:
    units, members = block.number("units", required=True), for_items(block)
    return None if units is None else FreeUnits(units, **members)


ACTION_TYPE = ActionType(
    kind=FreeUnits,
    parse=_parse,
    describe=lambda action: f"{action.units:f} units free",
    keys={"units": ABOVE_ZERO, **FOR_ITEMS},
    required=("units",),
    other_names={"value": "units", "quantity": "units"},
)
