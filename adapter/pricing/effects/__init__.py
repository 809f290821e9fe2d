"""The action types, one module each. A new one is a module with an `EFFECT`, and its name below."""

from __future__ import annotations

from adapter.pricing.effects import (
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
from adapter.pricing.effects.contract import EffectType

_ALL = (
    percentage_off,
    amount_off,
    free_shipping,
    store_credit,
    unit_off,
    fixed_price,
    cheapest_item,
    buy_x_get_y,
    free_units,
    free_item,
    shipping_percentage,
    shipping_amount,
)

#: Every action type by its name.
EFFECTS: dict[str, EffectType] = {module.EFFECT.name: module.EFFECT for module in _ALL}
