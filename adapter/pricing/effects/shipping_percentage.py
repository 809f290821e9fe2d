"""`shipping_percentage`: a share of the lines of shipping that the action names."""

from __future__ import annotations

from decimal import Decimal

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, taken
from adapter.pricing.effects.shipping_lines import ShippingEffect
from adapter.pricing.left import Left


class ShippingPercentage(ShippingEffect, frozen=True, kw_only=True):
    """`value` per cent off what is left of its lines of shipping."""

    value: Decimal
    names_money = False

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its share, rounded half up once."""
        numerator, denominator = self.value.as_integer_ratio()
        return taken(left.of_lines(self.scope(left.sheet)), numerator, denominator * 100)


def _read(action: ActionReader) -> ShippingPercentage:
    return ShippingPercentage(value=action.percent("value"), shipping=shipping_lines.read(action))


EFFECT = EffectType("shipping_percentage", _read)
