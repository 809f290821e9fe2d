"""An order out of a decoded JSON document; every fault is found at once, each with its path."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from adapter.model.money import digits
from adapter.pricing.document_fields import Fields
from adapter.pricing.errors import InvalidOrder, OrderProblem
from adapter.pricing.numbers import MILLION, MOST, QUANTITY_DIGITS, half_up
from adapter.pricing.order import Line, Order, ShippingLine

#: The members that are read; all others are attributes.
_ORDER = frozenset(("currency", "lines", "shipping", "total", "prices_include_tax", "attributes"))
_LINE = frozenset((
    "id", "quantity", "unit_price", "sku", "product_id", "category", "on_sale", "unit_type", "tax_rate",
    "attributes",
))  # fmt: skip
_SHIPPING = frozenset(("id", "price", "service_level", "region", "country", "tax_rate", "attributes"))


def read_order(document: Any) -> Order:
    """Return the order that a document describes.

    Amounts and quantities are numbers or text. Unknown members become attributes, and so do those of a
    member `attributes`. A line without `id` is called by its place, `line-1`, or `line-1-2` where another
    line has that id. Raises InvalidOrder.
    """
    fields = Fields(document, "", [])
    if fields.problems:
        raise InvalidOrder(fields.problems)
    currency = fields.currency()
    places = 2 if currency is None else digits(currency)
    lines = fields.rows("lines", lambda row, _at: _line(row, places), required=True)
    shipping = fields.rows("shipping", lambda row, _at: _shipping(row, places))
    _unique(fields.problems, lines, shipping)
    taken = {line.id for line in lines} | {one.id for one in shipping}
    lines = [
        line if line.id else replace(line, id=_free_id("line", at, taken)) for at, line in enumerate(lines)
    ]
    shipping = [
        one if one.id else replace(one, id=_free_id("shipping", at, taken)) for at, one in enumerate(shipping)
    ]
    if sum(line.total for line in lines) + sum(one.price for one in shipping) > MOST:
        fields.refuse("lines", "order_too_large", "the sum of the lines is larger than can be kept")
    order = Order(
        currency=currency or "XXX",
        lines=tuple(lines),
        shipping=tuple(shipping),
        total=fields.amount("total", places, "invalid_total"),
        prices_include_tax=fields.flag("prices_include_tax"),
        attributes=fields.rest(_ORDER),
    )
    if fields.problems:
        raise InvalidOrder(fields.problems)
    return order


def _line(fields: Fields, places: int) -> Line:
    units = fields.amount("quantity", QUANTITY_DIGITS, "invalid_quantity", least=1) or MILLION
    price = fields.amount("unit_price", places, "invalid_price", required=True) or 0
    return Line(
        id=fields.name("id") or "",
        millionths=units,
        unit_price=price,
        total=half_up(units * price, MILLION),
        sku=fields.name("sku"),
        product_id=fields.name("product_id"),
        category=fields.name("category"),
        on_sale=fields.flag("on_sale"),
        unit_type=fields.name("unit_type"),
        tax_rate=fields.rate(),
        attributes=fields.rest(_LINE),
    )


def _shipping(fields: Fields, places: int) -> ShippingLine:
    return ShippingLine(
        id=fields.name("id") or "",
        price=fields.amount("price", places, "invalid_price", required=True) or 0,
        service_level=fields.name("service_level"),
        region=fields.name("region"),
        country=fields.name("country"),
        tax_rate=fields.rate(),
        attributes=fields.rest(_SHIPPING),
    )


def _free_id(name: str, at: int, taken: set[str]) -> str:
    """Return the id of a line without one, by its place; no other line has it."""
    id_ = place = f"{name}-{at + 1}"
    again = 1
    while id_ in taken:
        again += 1
        id_ = f"{place}-{again}"
    taken.add(id_)
    return id_


def _unique(problems: list[OrderProblem], lines: list[Line], shipping: list[ShippingLine]) -> None:
    """Refuse a second line of one id: it identifies the amounts of each line, shipping included."""
    known = set[str]()
    places = [(f"lines[{at}].id", line.id) for at, line in enumerate(lines)]
    places += [(f"shipping[{at}].id", one.id) for at, one in enumerate(shipping)]
    for path, id_ in places:
        if id_ and id_ in known:
            problems.append(OrderProblem(path, "duplicate_id", f"`{id_}` is the id of another line"))
        known.add(id_)
