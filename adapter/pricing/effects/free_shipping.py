"""`free_shipping`: the lines of shipping that the action names cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects import shipping_lines
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.scope import Sheet


class FreeShipping(Struct, frozen=True):
    """What is left of its lines of shipping is taken off."""

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
        """Return what is left of them."""
        return taken(left.of_lines(self.scope(left.sheet)))


def _read(action: ActionReader) -> FreeShipping:
    return FreeShipping(shipping_lines.read(action))


EFFECT = EffectType("free_shipping", _read)
