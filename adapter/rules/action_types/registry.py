"""Every type of action, by its name and by its class."""

from __future__ import annotations

from typing import Any

from adapter.model.discounts import Action
from adapter.rules.action_types import (
    amount_off,
    free_shipping,
    percentage_off,
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
)
BY_NAME = {each.name: each for each in ACTION_TYPES}
_BY_KIND: dict[type, ActionType[Any]] = {each.kind: each for each in ACTION_TYPES}


def type_of(action: Action) -> ActionType[Any]:
    """Return the type of an action."""
    return _BY_KIND[action.__class__]
