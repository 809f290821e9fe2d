"""`shipping_amount`: an amount off the lines of shipping that the action names."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import NOTHING_LEFT, Cut, EffectType, Nothing, Stage
from adapter.pricing.left import Left
from adapter.pricing.scope import Sheet


class ShippingAmount(Struct, frozen=True):
    """`value` off its lines of shipping together."""

    value: Decimal
    shipping: shipping_lines.Shipping = shipping_lines.Shipping()
    names_money = True
    stage = Stage.SHIPPING

    @property
    def sensitive(self) -> bool:
        """It reads the sum of all shipping unless lines are named."""
        return not self.shipping.whole

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return its lines of shipping."""
        return self.shipping.lines(sheet)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its value, at most what is left of them."""
        portion = left.of_lines(self.scope(left.sheet))
        if not portion.lines:
            return NOTHING_LEFT
        return Cut(min(left.sheet.money(self.value), sum(portion.weights)), portion.lines, portion.weights)


def _read(action: ActionReader) -> ShippingAmount:
    return ShippingAmount(action.number("value"), shipping_lines.read(action))


EFFECT = EffectType("shipping_amount", _read)
