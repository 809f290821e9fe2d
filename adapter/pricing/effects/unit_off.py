"""`unit_off`: a balance of free units (minutes, unlocks) is spent on the lines that are counted in them."""

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


class UnitOff(Struct, frozen=True):
    """`millionths` units free on lines whose `unit_type` is this, parts of a unit in proportion."""

    millionths: int
    unit_type: str
    items: Items = Items()
    names_money = False
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the lines that are counted in the unit."""
        return [at for at in sheet.lines(self.items) if sheet.items[at].unit_type == self.unit_type]

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what is left of the units, and how many of them each line uses."""
        limit = self.millionths if balance is None else int(balance * MILLION)
        if limit <= 0:
            return Nothing("no_effect", f"no {self.unit_type} are left on the code")
        if self.items.max_units is not None:
            limit = min(limit, self.items.max_units)
        lines = self.scope(left.sheet)
        if not lines:
            return Nothing("no_effect", f"no line of the order is counted in {self.unit_type}")
        portion = left.units(left.sorted(lines, self.items.prefer), limit)
        found = taken(portion)
        return replace(found, units=portion.millionths) if isinstance(found, Cut) else found


def _read(action: ActionReader) -> UnitOff:
    unit_type = action.word("unit_type")
    if unit_type is None:
        raise action.refuse("unit_type", "is missing")
    return UnitOff(action.units("value"), unit_type, action.items())


EFFECT = EffectType("unit_off", _read)
