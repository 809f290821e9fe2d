"""What a discount is worth on the cart at hand: to compare discounts, never to charge anybody."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.model.discounts import Action, AmountOff, FreeShipping, PercentageOff, StoreCredit

_ZERO = Decimal(0)


def most(action: Action | None) -> Decimal | None:
    """Return the most that the action can cost, None when nothing bounds it."""
    if isinstance(action, PercentageOff):
        return action.max_amount
    return action.value if isinstance(action, AmountOff | StoreCredit) else None


def money(value: Any) -> Decimal | None:
    """Return a JSON number as exact money, None for anything else."""
    if value.__class__ is float:
        exact = Decimal(repr(value))
    elif value.__class__ is int or value.__class__ is Decimal:
        exact = Decimal(value)
    else:
        return None
    return exact if exact.is_finite() else None


def worth(action: Action, cart: Decimal | None, shipping: Decimal | None = None) -> Decimal:
    """Return what the action takes off, in the cart's currency.

    A percentage of an unknown cart is worth its `max_amount`; free shipping the shipping cost, where it is
    known; units of another kind (minutes) are worth nothing that could be compared.
    """
    if isinstance(action, PercentageOff):
        if cart is None:
            return action.max_amount or _ZERO
        share = cart * action.value / 100
        return share if action.max_amount is None else min(share, action.max_amount)
    if isinstance(action, AmountOff):
        reached = action.min_cart_value is None or cart is None or cart >= action.min_cart_value
        return (action.value if cart is None else min(action.value, cart)) if reached else _ZERO
    if isinstance(action, StoreCredit):
        return action.value
    return (shipping or _ZERO) if isinstance(action, FreeShipping) else _ZERO
