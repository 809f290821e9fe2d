"""`percentage_off`: a share of the order, or of the items that the action applies to."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.scope import Items, Sheet


class PercentageOff(Struct, frozen=True):
    """`value` per cent off what is left of its scope."""

    value: Decimal
    items: Items = Items()
    names_money = False

    @property
    def stage(self) -> Stage:
        """Item-scoped where it names items, else of the order."""
        return Stage.ITEMS if self.items.scoped else Stage.ORDER_PERCENT

    @property
    def sensitive(self) -> bool:
        """It reads the sum of all items unless they are limited."""
        return not self.items.whole

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that it applies to."""
        return sheet.lines(self.items)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its share, rounded half up once for all lines."""
        numerator, denominator = self.value.as_integer_ratio()
        return taken(left.of_items(self.items), numerator, denominator * 100)


def _read(action: ActionReader) -> PercentageOff:
    return PercentageOff(action.percent("value"), action.items())


EFFECT = EffectType("percentage_off", _read)
