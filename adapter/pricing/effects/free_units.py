"""`free_units`: so many units of the items that the action applies to cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left
from adapter.pricing.scope import Items, Sheet


class FreeUnits(Struct, frozen=True):
    """At most `items.max_units` units free, of those that are in the order; the dearest first."""

    items: Items
    names_money = False
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that it applies to."""
        return sheet.lines(self.items)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what is left of the units."""
        return taken(left.of_items(self.items))


def _read(action: ActionReader) -> FreeUnits:
    items, count = action.items(), action.units("units")
    most = count if items.max_units is None else min(count, items.max_units)
    return FreeUnits(replace(items, max_units=most))


EFFECT = EffectType("free_units", _read)
