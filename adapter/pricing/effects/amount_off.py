"""`amount_off`: an amount off the order or off the items that the action applies to, once or per unit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import NOTHING_LEFT, Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left, Portion
from adapter.pricing.numbers import MILLION, half_up
from adapter.pricing.scope import Items, Sheet


class AmountOff(Struct, frozen=True):
    """`value` off; with `per_unit` off each unit, in proportion on parts of one, never below zero."""

    value: Decimal
    per_unit: bool = False
    items: Items = Items()
    names_money = True

    @property
    def stage(self) -> Stage:
        """Item-scoped where it names items or counts units, else of the order."""
        return Stage.ITEMS if self.per_unit or self.items.scoped else Stage.ORDER_AMOUNT

    @property
    def sensitive(self) -> bool:
        """Per unit it reads each line by itself."""
        return self.per_unit or not self.items.whole

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that it applies to."""
        return sheet.lines(self.items)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its value, or for each unit the smaller of its value and what is left of the unit."""
        portion, value = left.of_items(self.items), left.sheet.money(self.value)
        if self.per_unit:
            return taken(_each(portion, value))
        if not portion.lines:
            return NOTHING_LEFT
        most = half_up(sum(portion.weights), portion.per)
        return Cut(min(value, most), portion.lines, portion.weights)


def _each(portion: Portion, value: int) -> Portion:
    counted = zip(portion.weights, portion.millionths, strict=True)
    weights = [min(weight * MILLION, value * count * portion.per) for weight, count in counted]
    return Portion(portion.lines, portion.millionths, weights, portion.per * MILLION)


def _read(action: ActionReader) -> AmountOff:
    per_unit = action.choice("per", "order", "unit") == "unit"
    return AmountOff(action.number("value"), per_unit, action.items())


EFFECT = EffectType("amount_off", _read)
