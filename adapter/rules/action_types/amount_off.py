"""`amount_off`: an amount off the order or off the items that it applies to, once or for each unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from adapter.files.schemas import one_of
from adapter.model.actions import AmountOff
from adapter.rules.action_types.action_block import ActionBlock, value_keys
from adapter.rules.action_types.contract import ActionType, Cart, in_currency
from adapter.rules.action_types.members import FOR_ITEMS, for_items, lint_prefer
from adapter.rules.blocks.schema import ABOVE_ZERO

Per = Literal["order", "unit"]


def _parse(block: ActionBlock) -> AmountOff | None:
    value = block.value("money")
    per: Per | None = block.one_of("per", Per)
    members = for_items(block)
    least = members["min_cart_value"]
    if value is not None and least is not None and least < value and per != "unit" and not block.computed:
        block.refuse(("min_cart_value",), f"`{least}` is less than the amount off, {value}",
                     "ask for a cart that is worth more than what it gets off")  # fmt: skip
    return None if value is None else AmountOff(value, per or "order", **members)


def _worth(action: AmountOff, cart: Cart) -> Decimal:
    """Return its value, at most the cart's; per unit that of one unit, for more are not known."""
    return action.value if cart.value is None else min(action.value, cart.value)


def _most(action: AmountOff) -> Decimal | None:
    if action.per == "order":
        return action.value
    return None if action.max_units is None else action.value * action.max_units


def _describe(action: AmountOff) -> str:
    return f"{action.value:f}{in_currency(action)} off" + (" each unit" if action.per == "unit" else "")


ACTION_TYPE = ActionType(
    kind=AmountOff,
    parse=_parse,
    describe=_describe,
    keys={**value_keys(ABOVE_ZERO, "money"), "per": one_of(("order", "unit")), **FOR_ITEMS},
    either=("value", "currencies"),
    other_names={"amount": "value"},
    worth=_worth,
    most=_most,
    money=("value",),
    lint=lambda block, action, facts: lint_prefer(block),
)
