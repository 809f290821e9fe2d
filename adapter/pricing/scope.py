"""What an effect takes from: an order's lines, and which of them are in its scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import lcm
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from adapter.pricing.numbers import MILLION, minor
from adapter.pricing.order import ItemTest, Line, Order, ShippingLine

Prefer = Literal["dearest", "cheapest"]
#: Whether a code takes from a line of shipping.
ShippingTest = Callable[[ShippingLine], bool]


class Items(Struct, frozen=True):
    """Which items a code takes from: those that pass the test, and at most so many units of them.

    `max_units` is in millionths of a unit.
    """

    test: ItemTest | None = None
    exclude_on_sale: bool = False
    max_units: int | None = None
    prefer: Prefer = "dearest"

    @property
    def scoped(self) -> bool:
        """Whether it names items: then the code is item-scoped, and comes before those of the order."""
        return self.test is not None or self.max_units is not None

    @property
    def whole(self) -> bool:
        """Whether it takes from all lines of every order."""
        return not self.scoped and not self.exclude_on_sale


class UnpayableAmount(Exception):
    """An effect names an amount that the order's currency cannot pay."""

    def __init__(self, amount: Decimal) -> None:
        super().__init__(f"{amount:f}")
        self.amount = amount


class Sheet:
    """An order with what all its codes read of it, each found once. Lines of shipping follow the items."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.currency = order.currency
        self.items: tuple[Line, ...] = order.lines
        self.count = len(order.lines)
        self.ids = [line.id for line in order.lines] + [one.id for one in order.shipping]
        self.totals = [line.total for line in order.lines] + [one.price for one in order.shipping]
        self.millionths = [line.millionths for line in order.lines] + [MILLION] * len(order.shipping)
        self.all_items = range(self.count)
        self.all_lines = range(len(self.totals))
        self._documents: list[dict[str, Any]] | None = None
        self._matching: dict[ItemTest, Sequence[bool]] = {}
        self._scales: Sequence[int] | None = None
        self._ranks: list[int] | None = None
        self._scopes: dict[tuple[ItemTest | None, bool], Sequence[int]] = {}

    def matching(self, test: ItemTest) -> Sequence[bool]:
        """Return, for each line of items, whether it passes."""
        found = self._matching.get(test)
        if found is None:
            if self._documents is None:
                self._documents = [line.item(self.currency) for line in self.items]
            found = self._matching[test] = [bool(test(document)) for document in self._documents]
        return found

    def lines(self, items: Items) -> Sequence[int]:
        """Return the items in a scope, by their places."""
        if items.test is None and not items.exclude_on_sale:
            return self.all_items
        key = (items.test, items.exclude_on_sale)
        found = self._scopes.get(key)
        if found is None:
            passed = self.matching(items.test) if items.test is not None else [True] * self.count
            on_sale = [line.on_sale and items.exclude_on_sale for line in self.items]
            found = self._scopes[key] = [at for at in self.all_items if passed[at] and not on_sale[at]]
        return found

    def shipping(self, test: ShippingTest) -> list[int]:
        """Return the lines of shipping that pass, by their places."""
        return [self.count + at for at, one in enumerate(self.order.shipping) if test(one)]

    def scales(self) -> Sequence[int]:
        """Return, for each line, what makes its amount comparable with others' by unit: whole and exact."""
        if self._scales is None:
            common = lcm(*self.millionths)
            self._scales = [common // count for count in self.millionths]
        return self._scales

    def ranks(self) -> Sequence[int]:
        """Return the rank of each line by what it is; lines that are equal in everything by their place."""
        if self._ranks is None:
            keys = [(line.unit_price, line.millionths, repr(replace(line, id=""))) for line in self.items]
            keys += [(one.price, MILLION, repr(replace(one, id=""))) for one in self.order.shipping]
            self._ranks = [0] * len(keys)
            for rank, at in enumerate(sorted(self.all_lines, key=lambda at: (*keys[at], at))):
                self._ranks[at] = rank
        return self._ranks

    def money(self, amount: Decimal) -> int:
        """Return an effect's amount in minor units; raises UnpayableAmount."""
        found = minor(amount, self.currency)
        if found is None:
            raise UnpayableAmount(amount)
        return found
