"""`shipping_percentage`: a share of the lines of shipping that the action names."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.scope import Sheet


class ShippingPercentage(Struct, frozen=True):
    """`value` per cent off what is left of its lines of shipping."""

    value: Decimal
    shipping: shipping_lines.Shipping = shipping_lines.Shipping()
    names_money = False
    stage = Stage.SHIPPING

    @property
    def sensitive(self) -> bool:
        """It reads the sum of all shipping unless lines are named."""
        return not self.shipping.whole

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return its lines of shipping."""
        return self.shipping.lines(sheet)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its share, rounded half up once."""
        numerator, denominator = self.value.as_integer_ratio()
        return taken(left.of_lines(self.scope(left.sheet)), numerator, denominator * 100)


def _read(action: ActionReader) -> ShippingPercentage:
    return ShippingPercentage(action.percent("value"), shipping_lines.read(action))


EFFECT = EffectType("shipping_percentage", _read)
