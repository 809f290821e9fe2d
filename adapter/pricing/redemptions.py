"""A redemption as it is kept: what of each line and each code can still be rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from adapter.pricing.results import Pricing


class RedeemedLine(Struct, frozen=True, kw_only=True):
    """What is not yet rolled back of one line.

    `bought` and `left` are millionths of units. `price` is the line's total before codes, `tax` the tax
    on top of it (0 where prices include it), `shares` what each code took, credit too, all in minor units.
    `units` are millionths of free units that codes spent on it.
    """

    id: str
    bought: int
    left: int
    price: int
    tax: int
    shares: Mapping[str, int] = {}
    units: Mapping[str, int] = {}


class Redeemed(Struct, frozen=True):
    """A redemption as it is kept, to be rolled back; `redeemed` makes it, `roll_back` changes it."""

    currency: str
    lines: tuple[RedeemedLine, ...]

    @property
    def amounts(self) -> dict[str, int]:
        """What is not yet rolled back of each code, in minor units."""
        return sums(line.shares for line in self.lines)

    @property
    def whole(self) -> bool:
        """Whether everything was rolled back: then the uses come back."""
        return not any(line.left for line in self.lines)


def redeemed(pricing: Pricing) -> Redeemed:
    """Return what a redemption of a priced order can give back."""
    return Redeemed(
        pricing.currency,
        tuple(
            RedeemedLine(
                id=line.id,
                bought=line.millionths,
                left=line.millionths,
                price=line.before,
                tax=0 if pricing.prices_include_tax else line.tax or 0,
                shares={one.code: one.lines[line.id] for one in pricing.codes if line.id in one.lines},
                units={one.code: one.units[line.id] for one in pricing.codes if line.id in one.units},
            )
            for line in pricing.lines
        ),
    )


def sums(lines: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums by code."""
    found = dict[str, int]()
    for line in lines:
        for code, amount in line.items():
            found[code] = found.get(code, 0) + amount
    return found
