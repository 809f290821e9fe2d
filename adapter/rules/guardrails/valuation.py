"""What a discount is worth on the cart at hand: to compare discounts, never to charge anybody."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.model.discounts import Action
from adapter.rules.action_types.contract import Cart
from adapter.rules.action_types.registry import type_of


def most(action: Action) -> Decimal | None:
    """Return the most that the action can cost, None when nothing bounds it."""
    return type_of(action).most(action)


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
    return type_of(action).worth(action, Cart(cart, shipping))
