"""Orders and codes as hypothesis makes them: small amounts, so that spare minor units and ties are common."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.money import digits
from adapter.pricing import Order, Terms, read_order, read_terms
from tests.pricing.book import compile_test

CATEGORIES = ("shoes", "hats", "socks")
CURRENCIES = ("EUR", "JPY", "KWD")
ITEM_TESTS = ("category shoes", "category shoes hats", "on_sale", "sku a")


@st.composite
def orders(draw: st.DrawFn, currency: str | None = None, *, taxed: bool = True) -> Order:
    code = draw(st.sampled_from(CURRENCIES)) if currency is None else currency
    rates = st.sampled_from([None, 0, 7, "8.25", 20]) if taxed else st.none()
    lines = [draw(_line(code, rates)) | {"id": f"L{at}"} for at in range(draw(st.integers(1, 6)))]
    shipping = [draw(_shipping(code, rates)) | {"id": f"S{at}"} for at in range(draw(st.integers(0, 2)))]
    inside = draw(st.booleans())
    return read_order({"currency": code, "lines": lines, "shipping": shipping, "prices_include_tax": inside})


@cache
def _price(currency: str) -> st.SearchStrategy[str]:
    amounts = st.one_of(st.integers(0, 12), st.integers(0, 2_000), st.sampled_from([5, 15, 100]))
    return amounts.map(lambda amount: f"{Decimal(amount).scaleb(-digits(currency)):f}")


@st.composite
def _line(draw: st.DrawFn, currency: str, rates: st.SearchStrategy[Any]) -> dict[str, Any]:
    return {
        "sku": draw(st.sampled_from("abc")),
        "quantity": draw(st.sampled_from(["1", "1", "2", "3", "7", "0.5", "2.25", "0.333333"])),
        "unit_price": draw(_price(currency)),
        "category": draw(st.sampled_from(CATEGORIES)),
        "on_sale": draw(st.booleans()),
        "unit_type": draw(st.sampled_from([None, "minutes"])),
        "tax_rate": draw(rates),
    }


@st.composite
def _shipping(draw: st.DrawFn, currency: str, rates: st.SearchStrategy[Any]) -> dict[str, Any]:
    return {
        "service_level": draw(st.sampled_from(["standard", "express"])),
        "region": draw(st.sampled_from(["EU", "US"])),
        "price": draw(_price(currency)),
        "tax_rate": draw(rates),
    }


_SHARES = st.sampled_from(["10", "15", "33.3333", "50", "100", "0.5"])
_WHOLE = st.integers(1, 3)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


@cache
def _items() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "applies_to": _maybe(st.sampled_from(ITEM_TESTS).map(lambda test: {"items": test})),
        "exclude_on_sale": st.booleans(),
        "max_units": _maybe(st.sampled_from([1, 2, 3, "1.5"])),
        "prefer": st.sampled_from(["dearest", "cheapest"]),
    }


@cache
def _side() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"quantity": _WHOLE, "applies_to": _items()["applies_to"]})


@cache
def actions(currency: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return actions of every type, with and without scopes, caps and minimums."""
    amount = _price(currency)
    shipping = {
        "service_levels": st.sampled_from([[], ["standard"]]),
        "regions": st.sampled_from([[], ["EU"]]),
    }
    members: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "percentage_off": {"value": _SHARES} | _items(),
        "amount_off": {"value": amount, "per": st.sampled_from(["order", "unit"])} | _items(),
        "fixed_price": {"value": amount, "set_quantity": _maybe(_WHOLE)} | _items(),
        "cheapest_item": {"percent": _SHARES} | _items(),
        "free_units": {"units": st.sampled_from([1, 2, "0.5"])} | _items(),
        "buy_x_get_y": {"buy": _side(), "get": _side()},
        "free_item": {"sku": st.sampled_from("abc"), "quantity": _WHOLE},
        "unit_off": {"value": st.sampled_from([1, 3, "2.5"]), "unit_type": st.just("minutes")},
        "free_shipping": shipping,
        "shipping_percentage": {"value": _SHARES} | shipping,
        "shipping_amount": {"value": amount} | shipping,
        "store_credit": {"value": amount},
    }
    common = {
        "max_amount": _maybe(amount),
        "min_cart_value": _maybe(amount),
        "min_basis": st.sampled_from(["items_before", "items_after_earlier", "scope_before"]),
        "min_excludes": _maybe(st.just("on_sale")),
    }
    return st.one_of(
        *(st.fixed_dictionaries({"type": st.just(kind)} | own | common) for kind, own in members.items())
    )


@st.composite
def terms(draw: st.DrawFn, currency: str, *, most: int = 5, combine: bool = False) -> list[Terms]:
    """Return codes that differ, all stackable unless they are there to be combined."""
    found = []
    for at in range(draw(st.integers(1, most))):
        one = read_terms(f"CODE-{at}", draw(actions(currency)), compile_test)
        changes: dict[str, Any] = {"priority": draw(st.integers(0, 2))}
        if combine:
            changes |= {
                "stackable": draw(st.sampled_from([True, True, True, False])),
                "exclusive": draw(st.sampled_from([False, False, False, True])),
                "stacking_group": draw(st.sampled_from([None, None, "x", "y"])),
            }
        found.append(replace(one, **changes))
    return found


@st.composite
def priced(draw: st.DrawFn, *, taxed: bool = True, combine: bool = False) -> tuple[Order, list[Terms]]:
    order = draw(orders(taxed=taxed))
    return order, draw(terms(order.currency, combine=combine))
