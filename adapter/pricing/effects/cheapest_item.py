"""`cheapest_item`: a share of one unit of the cheapest item that the action applies to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.numbers import MILLION
from adapter.pricing.scope import Items, Sheet

_ALL = Decimal(100)


class CheapestItem(Struct, frozen=True):
    """`percent` off one unit of the cheapest item; a tie goes to the line that is first."""

    items: Items
    percent: Decimal = _ALL
    names_money = False
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that it applies to."""
        return sheet.lines(self.items)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its share of the one unit; of less than a unit in the order, of that."""
        cheapest = left.sorted(self.scope(left.sheet), "cheapest")[:1]
        numerator, denominator = self.percent.as_integer_ratio()
        return taken(left.units(cheapest, self.items.max_units or MILLION), numerator, denominator * 100)


def _read(action: ActionReader) -> CheapestItem:
    return CheapestItem(replace(action.items(), max_units=MILLION), action.percent("percent", _ALL))


EFFECT = EffectType("cheapest_item", _read)
