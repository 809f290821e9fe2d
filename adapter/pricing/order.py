"""The order that is priced: exact integers inside, as `read_order` makes it of a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.model.money import from_minor_units
from adapter.pricing.numbers import quantity

#: Whether an item is meant; takes what `Line.item` returns. A condition that cannot be decided says False.
ItemTest = Callable[[Mapping[str, Any]], bool]


class Line(Struct, frozen=True, kw_only=True):
    """One line of items. `millionths` is the quantity; `unit_price` and `total` are in minor units.

    `total` is quantity times unit price, rounded half up once. `tax_rate` is in per cent, None where the
    order leaves tax out. `attributes` are all other members as they were sent.
    """

    id: str
    millionths: int
    unit_price: int
    total: int
    sku: str | None = None
    product_id: str | None = None
    category: str | None = None
    on_sale: bool = False
    unit_type: str | None = None
    tax_rate: Decimal | None = None
    attributes: Mapping[str, Any] = {}

    def item(self, currency: str) -> dict[str, Any]:
        """Return the line as conditions see it; `quantity` and `unit_price` are Decimals."""
        named: dict[str, Any] = {
            "id": self.id,
            "sku": self.sku,
            "product_id": self.product_id,
            "category": self.category,
            "unit_type": self.unit_type,
        }
        return {
            **self.attributes,
            **{name: value for name, value in named.items() if value is not None},
            "on_sale": self.on_sale,
            "quantity": quantity(self.millionths),
            "unit_price": from_minor_units(self.unit_price, currency),
        }


class ShippingLine(Struct, frozen=True, kw_only=True):
    """One way of shipping; `price` is in minor units."""

    id: str
    price: int
    service_level: str | None = None
    region: str | None = None
    country: str | None = None
    tax_rate: Decimal | None = None
    attributes: Mapping[str, Any] = {}


class Order(Struct, frozen=True, kw_only=True):
    """What a checkout sends. `total`, in minor units, is only compared (`total_problem`), never used."""

    currency: str
    lines: tuple[Line, ...]
    shipping: tuple[ShippingLine, ...] = ()
    total: int | None = None
    prices_include_tax: bool = False
    attributes: Mapping[str, Any] = {}
