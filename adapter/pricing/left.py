"""What earlier codes left of an order's lines, and units picked of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from msgspec import Struct

from adapter.pricing.numbers import MILLION
from adapter.pricing.scope import Items, Prefer, Sheet


class Portion(Struct, frozen=True):
    """Units of lines, in the order of the lines, and what is left of them: `weights[i] / per` minor units.

    `millionths` says how much of each line is in it.
    """

    lines: Sequence[int]
    millionths: Sequence[int]
    weights: Sequence[int]
    per: int = 1


class Left:
    """What earlier codes left of each line, in minor units; `ranks` break ties where position must not."""

    def __init__(self, sheet: Sheet, amounts: list[int], ranks: Sequence[int] | None = None) -> None:
        self.sheet = sheet
        self.amounts = amounts
        self.ranks = ranks

    def of_lines(self, lines: Sequence[int]) -> Portion:
        """Return whole lines, without those of which nothing is left."""
        kept = [at for at in lines if self.amounts[at] > 0]
        return Portion(kept, [self.sheet.millionths[at] for at in kept], [self.amounts[at] for at in kept])

    def of_items(self, items: Items) -> Portion:
        """Return what is left of a scope, limited to its `max_units`."""
        lines = self.sheet.lines(items)
        if items.max_units is None:
            return self.of_lines(lines)
        return self.units(self.sorted(lines, items.prefer), items.max_units)

    def sorted(self, lines: Sequence[int], prefer: Prefer) -> list[int]:
        """Return lines by what is left of one unit, ties by place or rank; empty lines are left out."""
        sign = 1 if prefer == "cheapest" else -1
        amounts, scales, ranks = self.amounts, self.sheet.scales(), self.ranks
        keys = [
            (sign * amounts[at] * scales[at], at if ranks is None else ranks[at], at)
            for at in lines
            if amounts[at] > 0
        ]
        return [at for _, _, at in sorted(keys)]

    def units(self, lines: Sequence[int], limit: int, *, whole: bool = False) -> Portion:
        """Return the first units of lines, up to a limit in millionths; `whole` leaves out parts of units."""
        picked: list[tuple[int, int]] = []
        for at in lines:
            if limit <= 0:
                break
            there = self.sheet.millionths[at]
            count = min(limit, there - there % MILLION if whole else there)
            if count:
                picked.append((at, count))
                limit -= count
        return self.portion(sorted(picked))

    def portion(self, picked: Sequence[tuple[int, int]]) -> Portion:
        """Return what is left of so many millionths of each line."""
        values = [self._worth(at, count) for at, count in picked]
        per = 1
        for _, denominator in values:
            per *= denominator // gcd(per, denominator)
        weights = [numerator * (per // denominator) for numerator, denominator in values]
        return Portion([at for at, _ in picked], [count for _, count in picked], weights, per)

    def _worth(self, at: int, count: int) -> tuple[int, int]:
        """Return what is left of some units of a line, as an exact fraction."""
        amount, there = self.amounts[at], self.sheet.millionths[at]
        if count == there:
            return amount, 1
        common = gcd(amount * count, there)
        return amount * count // common, there // common
