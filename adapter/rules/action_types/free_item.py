"""`free_item`: one named item costs nothing; it is suggested where it is not in the order."""

from __future__ import annotations

from adapter.files.schemas import TEXT
from adapter.model.actions import ONE, FreeItem
from adapter.rules.action_types.contract import ActionType
from adapter.rules.action_types.members import EVERY_ACTION, every_action
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import ABOVE_ZERO


def _parse(block: Block) -> FreeItem | None:
    sku, product_id = block.text("sku"), block.text("product_id")
    quantity, members = block.number("quantity"), every_action(block)
    if "sku" not in block.values and "product_id" not in block.values:
        block.lacks("sku", "name the item: add `sku: GIFT-1`, or `product_id: ...`")
        return None
    return FreeItem(sku, product_id, ONE if quantity is None else quantity, **members)


def _describe(action: FreeItem) -> str:
    times = "" if action.quantity == 1 else f"{action.quantity:f} x "
    return f"{times}{action.sku or action.product_id} free"


ACTION_TYPE = ActionType(
    kind=FreeItem,
    parse=_parse,
    describe=_describe,
    keys={"sku": TEXT, "product_id": TEXT, "quantity": ABOVE_ZERO, **EVERY_ACTION},
    other_names={"item": "sku", "product": "product_id", "units": "quantity"},
)
