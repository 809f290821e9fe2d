"""What a discount is worth on the cart at hand: to compare discounts, never to charge anybody."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapter.model.actions import Action
from adapter.rules.action_types.contract import Cart
from adapter.rules.action_types.registry import type_of

_ZERO = Decimal(0)


def most(action: Action) -> Decimal | None:
    """Return the most that the action can cost, None when nothing bounds it."""
    known = _own(action)
    if known is None or action.max_amount is None:
        return action.max_amount if known is None else known
    return min(known, action.max_amount)


def most_of(actions: Iterable[Action]) -> Decimal | None:
    """Return the most that benefits can cost together, None when nothing bounds one of them."""
    found = [most(action) for action in actions]
    known = [each for each in found if each is not None]
    return sum(known, _ZERO) if known and len(known) == len(found) else None


def _own(action: Action) -> Decimal | None:
    """Return the most that the action costs without a `max_amount`; a computed value may have no bound."""
    known = type_of(action).most(action)
    return known if known is not None and known.is_finite() else None


def bound(action: Action) -> str:
    """Return the key of the action that bounds what it costs, or that would."""
    known = _own(action)
    capped = known is None or (action.max_amount is not None and action.max_amount < known)
    return "max_amount" if capped else "value"


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

    Below its minimum it is worth nothing. A percentage of an unknown cart is worth its `max_amount`; free
    shipping the shipping cost, where it is known; units of another kind (minutes) are worth nothing that
    could be compared.
    """
    if cart is not None and action.min_cart_value is not None and cart < action.min_cart_value:
        return _ZERO
    found = type_of(action).worth(action, Cart(cart, shipping))
    return found if action.max_amount is None else min(found, action.max_amount)
