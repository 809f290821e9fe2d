"""Every type of action, by its name and by its class."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.model.actions import Action
from adapter.rules.action_types import (
    amount_off,
    buy_x_get_y,
    cheapest_item,
    fixed_price,
    free_item,
    free_shipping,
    free_units,
    percentage_off,
    shipping_amount,
    shipping_percentage,
    store_credit,
    unit_off,
)
from adapter.rules.action_types.contract import ActionType

ACTION_TYPES: tuple[ActionType[Any], ...] = (
    percentage_off.ACTION_TYPE,
    amount_off.ACTION_TYPE,
    free_shipping.ACTION_TYPE,
    store_credit.ACTION_TYPE,
    unit_off.ACTION_TYPE,
    fixed_price.ACTION_TYPE,
    cheapest_item.ACTION_TYPE,
    buy_x_get_y.ACTION_TYPE,
    free_units.ACTION_TYPE,
    free_item.ACTION_TYPE,
    shipping_percentage.ACTION_TYPE,
    shipping_amount.ACTION_TYPE,
)
BY_NAME = {each.name: each for each in ACTION_TYPES}
_BY_KIND: dict[type, ActionType[Any]] = {each.kind: each for each in ACTION_TYPES}


def type_of(action: Action) -> ActionType[Any]:
    """Return the type of an action."""
    return _BY_KIND[action.__class__]


def amounts(action: Action) -> dict[str, Decimal]:
    """Return the amounts of money that an action names, by their keys; an unbounded one is left out."""
    keys = (*type_of(action).money, "max_amount", "min_cart_value")
    found = {key: getattr(action, key) for key in keys}
    return {key: amount for key, amount in found.items() if amount is not None and amount.is_finite()}


def describe(action: Action) -> str:
    """Return what an action gives, in words."""
    words = type_of(action).describe(action)
    if action.max_amount is not None:
        words += f", at most {action.max_amount:f}"
    return words if action.min_cart_value is None else f"{words} from {action.min_cart_value:f} up"
