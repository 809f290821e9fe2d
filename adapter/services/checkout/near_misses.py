"""What is missing for a shared code by its comparisons with numbers: `12.50 EUR more`, `2 of 3`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapter.model.money import minor_units
from adapter.pricing import Order, Refusal
from adapter.rules.expressions import Shortfall
from adapter.services.checkout import reasons
from adapter.services.checkout.documents import money

#: The value of the order, by each name that conditions may call it.
_CART = frozenset(("cart_value", "attributes.cart_value"))
_MORE = frozenset(("at_least", "more_than"))


def not_met(code: str, why: str, shortfalls: Sequence[Shortfall], cart: Order | None) -> Refusal:
    """Return which conditions of a code do not hold, with how far comparisons are from holding."""
    amount = None if cart is None else _of_order(shortfalls, cart)
    said = [f"{money(amount, cart.currency)} {cart.currency} more"] if cart is not None and amount else []
    said += [_sentence(each) for each in shortfalls if each.missing is not None and each.name not in _CART]
    known = [each for each in said if each]
    return reasons.conditions_not_met(
        code,
        f"{why} ({', '.join(known)})" if known else why,
        [_document(each) for each in shortfalls],
        amount,
    )


def _of_order(shortfalls: Sequence[Shortfall], cart: Order) -> int | None:
    """Return what the order lacks, in minor units; one more than a bound that must be passed."""
    lacking = [
        minor_units(each.missing, cart.currency) + (each.bound == "more_than")
        for each in shortfalls
        if each.name in _CART and each.bound in _MORE and each.missing is not None
    ]
    return max(lacking, default=None)


def _sentence(shortfall: Shortfall) -> str:
    """Return `2 of 3 number of order_completed` for a number that is to grow."""
    if shortfall.bound not in _MORE or shortfall.value is None:
        return ""
    return f"{_text(shortfall.value)} of {_text(shortfall.needs)}: {shortfall.name}"


def _document(shortfall: Shortfall) -> dict[str, Any]:
    known: dict[str, Any] = {"name": shortfall.name, shortfall.bound: _text(shortfall.needs)}
    known["value"] = None if shortfall.value is None else _text(shortfall.value)
    if shortfall.missing is not None:
        known["missing"] = _text(shortfall.missing)
    return known


def _text(number: Decimal) -> str:
    return f"{number:f}"
