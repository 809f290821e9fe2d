"""`fixed_price`: each unit, or each set of so many units, costs an amount instead of its price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.effects.contract import NOTHING_LEFT, Cut, EffectType, Nothing, Stage, taken
from adapter.pricing.left import Left, Portion
from adapter.pricing.numbers import MILLION
from adapter.pricing.scope import Items, Sheet

#: A line, and so many of its units.
Picked = tuple[int, int]


class FixedPrice(Struct, frozen=True):
    """`value` for each unit, or for `set_quantity` whole units together; a price is never raised.

    Sets are made of the dearest units first (`prefer` to change); units that fill no set pay their price.
    """

    value: Decimal
    set_quantity: int | None = None
    items: Items = Items()
    names_money = True
    sensitive = True
    stage = Stage.ITEMS

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the items that it applies to."""
        return sheet.lines(self.items)

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what the prices exceed the fixed price by."""
        value = left.sheet.money(self.value)
        if self.set_quantity is None:
            return taken(_over(left.of_items(self.items), value))
        saved = dict[int, Fraction]()
        pool = self._pool(left)
        count = sum(units for _, units in pool)
        for members, times in _sets(pool, self.set_quantity):
            _save(left, members, times, value, saved)
        if count < self.set_quantity:
            missing = self.set_quantity - count
            return Nothing("no_effect", f"{missing} more of the items make a set", missing * MILLION)
        return _cut(saved)

    def _pool(self, left: Left) -> list[Picked]:
        most = self.items.max_units
        lines = left.sorted(self.scope(left.sheet), self.items.prefer)
        portion = left.units(lines, sum(left.sheet.millionths) if most is None else most, whole=True)
        counts = dict(zip(portion.lines, portion.millionths, strict=True))
        return [(at, counts[at] // MILLION) for at in lines if counts.get(at, 0) >= MILLION]


def _over(portion: Portion, value: int) -> Portion:
    """Return what each line costs above the fixed price of its units."""
    counted = zip(portion.weights, portion.millionths, strict=True)
    weights = [max(0, weight * MILLION - value * count * portion.per) for weight, count in counted]
    return Portion(portion.lines, portion.millionths, weights, portion.per * MILLION)


def _sets(pool: Sequence[Picked], size: int) -> Iterator[tuple[list[Picked], int]]:
    """Yield each set with how many like it there are: at most two for a line, whatever its quantity."""
    members, missing = list[Picked](), size
    for at, units in pool:
        count = min(units, missing)
        members.append((at, count))
        missing -= count
        if missing == 0:
            yield members, 1
            times, rest = divmod(units - count, size)
            if times:
                yield [(at, size)], times
            members, missing = [(at, rest)] if rest else [], size - rest


def _save(left: Left, members: Sequence[Picked], times: int, value: int, saved: dict[int, Fraction]) -> None:
    """Add what sets save, on each of their lines in proportion."""
    amounts, millionths = left.amounts, left.sheet.millionths
    worth = [(at, Fraction(amounts[at] * count * MILLION, millionths[at])) for at, count in members]
    price = sum((share for _, share in worth), Fraction())
    if price > value:
        for at, share in worth:
            saved[at] = saved.get(at, Fraction()) + share * (price - value) / price * times


def _cut(saved: dict[int, Fraction]) -> Cut | Nothing:
    if not saved:
        return NOTHING_LEFT
    lines = sorted(saved)
    per = lcm(*(saved[at].denominator for at in lines))
    weights = [int(saved[at] * per) for at in lines]
    return taken(Portion(lines, weights, weights, per))


def _read(action: ActionReader) -> FixedPrice:
    size = action.whole_units("set_quantity") if action.has("set_quantity") else None
    return FixedPrice(action.number("value"), size, action.items())


EFFECT = EffectType("fixed_price", _read)
