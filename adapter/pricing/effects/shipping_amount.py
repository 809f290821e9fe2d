"""`shipping_amount`: an amount off the lines of shipping that the action names."""

from __future__ import annotations

from decimal import Decimal

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import NOTHING_LEFT, Cut, EffectType, Nothing
from adapter.pricing.effects.shipping_lines import ShippingEffect
from adapter.pricing.left import Left


class ShippingAmount(ShippingEffect, frozen=True, kw_only=True):
    """`value` off its lines of shipping together."""

    value: Decimal
    names_money = True

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return its value, at most what is left of them."""
        portion = left.of_lines(self.scope(left.sheet))
        if not portion.lines:
            return NOTHING_LEFT
        return Cut(min(left.sheet.money(self.value), sum(portion.weights)), portion.lines, portion.weights)


def _read(action: ActionReader) -> ShippingAmount:
    return ShippingAmount(value=action.number("value"), shipping=shipping_lines.read(action))


EFFECT = EffectType("shipping_amount", _read)
