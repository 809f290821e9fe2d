"""An order out of a decoded JSON document; every fault is found at once, each with its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from adapter.model.money import digits
from adapter.pricing.errors import InvalidOrder, OrderProblem
from adapter.pricing.numbers import MILLION, MOST, QUANTITY_DIGITS, half_up, scaled
from adapter.pricing.order import Line, Order, ShippingLine

#: Lines of items, and lines of shipping, that one order may have.
MOST_LINES = 500
T = TypeVar("T")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_RATE_DIGITS = 6
_NUMBERS = (int, float, str, Decimal)


def read_order(document: Any) -> Order:
    """Return the order that a document describes.

    Amounts and quantities are numbers or text. Unknown members become attributes, and so do those of a
    member `attributes`. A line without `id` is called by its place, `line-1`. Raises InvalidOrder.
    """
    fields = _Fields(document, "", [])
    if fields.problems:
        raise InvalidOrder(fields.problems)
    currency = fields.currency()
    places = 2 if currency is None else digits(currency)
    lines = fields.rows("lines", lambda row, at: _line(row, at, places), required=True)
    shipping = fields.rows("shipping", lambda row, at: _shipping(row, at, places))
    _unique(fields.problems, lines, shipping)
    if sum(line.total for line in lines) + sum(one.price for one in shipping) > MOST:
        fields.refuse("lines", "order_too_large", "the sum of the lines is larger than can be kept")
    order = Order(
        currency=currency or "XXX",
        lines=tuple(lines),
        shipping=tuple(shipping),
        total=fields.amount("total", places, "invalid_total"),
        prices_include_tax=fields.flag("prices_include_tax"),
        attributes=fields.rest(),
    )
    if fields.problems:
        raise InvalidOrder(fields.problems)
    return order


def _line(fields: _Fields, at: int, places: int) -> Line:
    units = fields.amount("quantity", QUANTITY_DIGITS, "invalid_quantity", least=1) or MILLION
    price = fields.amount("unit_price", places, "invalid_price", required=True) or 0
    return Line(
        id=fields.name("id") or f"line-{at + 1}",
        millionths=units,
        unit_price=price,
        total=half_up(units * price, MILLION),
        sku=fields.name("sku"),
        product_id=fields.name("product_id"),
        category=fields.name("category"),
        on_sale=fields.flag("on_sale"),
        unit_type=fields.name("unit_type"),
        tax_rate=fields.rate(),
        attributes=fields.rest(),
    )


def _shipping(fields: _Fields, at: int, places: int) -> ShippingLine:
    return ShippingLine(
        id=fields.name("id") or f"shipping-{at + 1}",
        price=fields.amount("price", places, "invalid_price", required=True) or 0,
        service_level=fields.name("service_level"),
        region=fields.name("region"),
        country=fields.name("country"),
        tax_rate=fields.rate(),
        attributes=fields.rest(),
    )


def _unique(problems: list[OrderProblem], lines: list[Line], shipping: list[ShippingLine]) -> None:
    """Refuse a second line of one id: amounts per line are told apart by it, shipping included."""
    known = set[str]()
    places = [(f"lines[{at}].id", line.id) for at, line in enumerate(lines)]
    places += [(f"shipping[{at}].id", one.id) for at, one in enumerate(shipping)]
    for path, id_ in places:
        if id_ in known:
            problems.append(OrderProblem(path, "duplicate_id", f"`{id_}` is the id of another line"))
        known.add(id_)


class _Fields:
    """The members of one object; what is read of it is no attribute."""

    def __init__(self, value: Any, path: str, problems: list[OrderProblem]) -> None:
        self.problems = problems
        self._path = path
        self._read = set[str]()
        if not isinstance(value, Mapping):
            self.refuse("", "invalid_type", "must be an object")
        self._values: Mapping[str, Any] = value if isinstance(value, Mapping) else {}

    def refuse(self, key: str, code: str, message: str) -> None:
        path = f"{self._path}.{key}" if self._path and key else self._path or key
        self.problems.append(OrderProblem(path, code, message))

    def _take(self, key: str) -> Any:
        self._read.add(key)
        return self._values.get(key)

    def currency(self) -> str | None:
        value = self._take("currency")
        if isinstance(value, str) and _CURRENCY.fullmatch(value):
            return value.upper()
        self.refuse("currency", "invalid_currency", "must be the three letters of a currency, such as EUR")
        return None

    def name(self, key: str) -> str | None:
        value = self._take(key)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self.refuse(key, "invalid_type", "must be text")
        return None

    def flag(self, key: str) -> bool:
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.refuse(key, "invalid_type", "must be true or false")
        return False

    def amount(
        self, key: str, places: int, code: str, *, required: bool = False, least: int = 0
    ) -> int | None:
        """Return a number times `10 ** places`."""
        value = self._take(key)
        if value is None and not required:
            return None
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            message = "is missing" if value is None else "must be a number, or a number as text"
            self.refuse(key, code if value is None else "invalid_type", message)
            return None
        number = scaled(value, places)
        if number is None or not least <= number <= MOST:
            finest = f"at most {places} decimals" if places else "no decimals"
            above = "above 0" if least else "of 0 or more"
            self.refuse(key, code, f"must be a number {above}, with {finest}")
            return None
        return number

    def rate(self) -> Decimal | None:
        number = self.amount("tax_rate", _RATE_DIGITS, "invalid_tax_rate")
        return None if number is None else Decimal(number).scaleb(-_RATE_DIGITS)

    def rows(self, key: str, read: Callable[[_Fields, int], T], *, required: bool = False) -> list[T]:
        value = self._take(key)
        if value is None and not required:
            return []
        if not isinstance(value, list | tuple) or (required and not value):
            self.refuse(key, "invalid_type", "must be a list of lines")
            return []
        if len(value) > MOST_LINES:
            self.refuse(key, "too_many_lines", f"has more than {MOST_LINES} lines")
            return []
        prefix = f"{self._path}.{key}" if self._path else key
        found = list[T]()
        for at, row in enumerate(value):
            fields = _Fields(row, f"{prefix}[{at}]", self.problems)
            if isinstance(row, Mapping):
                found.append(read(fields, at))
        return found

    def rest(self) -> dict[str, Any]:
        inner = self._take("attributes")
        if inner is not None and not isinstance(inner, Mapping):
            self.refuse("attributes", "invalid_type", "must be an object")
            inner = None
        own = {key: value for key, value in self._values.items() if key not in self._read}
        return {**(inner or {}), **own}
