"""`free_shipping`: the lines of shipping that the action names cost nothing."""

from __future__ import annotations

from decimal import Decimal

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, taken
from adapter.pricing.effects.shipping_lines import ShippingEffect
from adapter.pricing.left import Left


class FreeShipping(ShippingEffect, frozen=True, kw_only=True):
    """What is left of its lines of shipping is taken off."""

    names_money = False

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what is left of them."""
        return taken(left.of_lines(self.scope(left.sheet)))


def _read(action: ActionReader) -> FreeShipping:
    return FreeShipping(shipping=shipping_lines.read(action))


EFFECT = EffectType("free_shipping", _read)
