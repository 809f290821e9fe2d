"""Members that types of actions share: bounds and minimum of every action, the lines that one applies to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from adapter.files.schemas import TEXT, Schema, block, one_of, said
from adapter.model.actions import ItemScope, MinimumBasis, Prefer
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.money import currency
from adapter.rules.blocks.schema import ABOVE_ZERO, CURRENCY, FLAG
from adapter.rules.expressions import ExpressionError
from adapter.rules.expressions.item_condition import compile_item_condition

_CONDITION = said(TEXT, 'A condition over `item`, such as item.category == "shoes".')
SCOPE: Schema = block({"items": _CONDITION}, "items")
#: JSON Schemas of what every action may have, and of what those for items may have.
EVERY_ACTION: Mapping[str, Schema] = {
    "max_amount": said(ABOVE_ZERO, "The most that it takes off an order."),
    "min_cart_value": said(ABOVE_ZERO, "The least that the order must be worth."),
    "min_basis": one_of(get_args(MinimumBasis)),
    "min_excludes": said(TEXT, "Items that do not count for the minimum, such as item.on_sale."),
    "currency": CURRENCY,
}
FOR_ITEMS: Mapping[str, Schema] = {
    **EVERY_ACTION,
    "applies_to": SCOPE,
    "exclude_on_sale": FLAG,
    "max_units": said(ABOVE_ZERO, "The most units of the items."),
    "prefer": one_of(get_args(Prefer)),
}
OTHER_NAMES: Mapping[str, str] = {
    "cap": "max_amount",
    "max_discount": "max_amount",
    "min_order_value": "min_cart_value",
    "minimum": "min_cart_value",
    "max_quantity": "max_units",
    "items": "applies_to",
}


def every_action(block: Block) -> dict[str, Any]:
    """Return the members of every action."""
    minimum = block.number("min_cart_value")
    basis: MinimumBasis | None = block.one_of("min_basis", MinimumBasis)
    excludes = condition(block, "min_excludes")
    for key in ("min_basis", "min_excludes"):
        if key in block.values and "min_cart_value" not in block.values:
            block.refuse((key,), f"`{key}` needs a `min_cart_value`",
                         "add `min_cart_value: 60`, or leave it out", at_key=True)  # fmt: skip
    return {
        "max_amount": block.number("max_amount"),
        "min_cart_value": minimum,
        "min_basis": basis or "items_before",
        "min_excludes": excludes,
        "currency": currency(block),
    }


def for_items(block: Block) -> dict[str, Any]:
    """Return the members of an action for items."""
    prefer: Prefer | None = block.one_of("prefer", Prefer)
    return {
        **every_action(block),
        "applies_to": scope(block),
        "exclude_on_sale": block.flag("exclude_on_sale") or False,
        "max_units": block.number("max_units"),
        "prefer": prefer,
    }


def scope(block: Block) -> ItemScope | None:
    """Return the block `applies_to`."""
    inner = block.block("applies_to")
    if inner is None:
        return None
    found = condition(inner, "items", required=True)
    inner.finish()
    return None if found is None else ItemScope(found)


def condition(block: Block, key: str, *, required: bool = False) -> str | None:
    """Return the text of a condition over `item` that checks."""
    written = block.text(key, required=required, longest=2000)
    if written is not None:
        try:
            compile_item_condition(written)
        except ExpressionError as error:
            block.refuse_inside((key,), written, error.offset, error.message, error.remedy)
            return None
    return written


def lint_prefer(block: Block) -> None:
    """Warn of an order of units where all units are meant."""
    if "prefer" in block.values and "max_units" not in block.values:
        block.warn(("prefer",), "`prefer` has no effect without `max_units`", "add `max_units: 1`")
