"""What an effect is: a record of one action type that says what it takes from which lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Protocol

from msgspec import Struct

from adapter.pricing.actions import ActionReader
from adapter.pricing.left import Left, Portion
from adapter.pricing.numbers import half_up
from adapter.pricing.scope import Sheet


class Stage(IntEnum):
    """The classes of codes, in the order in which they are applied."""

    ITEMS = 1
    ORDER_PERCENT = 2
    ORDER_AMOUNT = 3
    SHIPPING = 4
    CREDIT = 5


class Suggestion(Struct, frozen=True):
    """An item that a code would make free if it were in the order; `millionths` is how much is missing."""

    sku: str | None
    product_id: str | None
    millionths: int


class Cut(Struct, frozen=True):
    """What an effect wants: an amount in minor units, split over lines by weight.

    `units` are millionths of free units per line, of an effect that spends a balance of units. `suggested` is
    what it would also take.
    """

    amount: int
    lines: Sequence[int]
    weights: Sequence[int]
    units: Sequence[int] | None = None
    suggested: Suggestion | None = None


class Nothing(Struct, frozen=True):
    """Why an effect takes nothing: a stable code, a sentence, and the units that are missing (millionths)."""

    reason: str
    message: str
    missing_units: int | None = None
    suggested: Suggestion | None = None


class Effect(Protocol):
    """One action, ready to be applied; frozen. Its money is Decimal in the code's currency."""

    @property
    def stage(self) -> Stage:
        """Its class."""

    @property
    def names_money(self) -> bool:
        """Whether it names an amount of money: then its currency must be the order's."""

    @property
    def sensitive(self) -> bool:
        """Whether its amount depends on how earlier discounts lie on the lines, not on their sum alone."""

    def scope(self, sheet: Sheet) -> Sequence[int]:
        """Return the places of the lines that it may take from."""

    def cut(self, left: Left, balance: Decimal | None) -> Cut | Nothing:
        """Return what it takes of what is left.

        `balance` is what remains of a value that is spent in parts, money or units; None means all of it.
        """


@dataclass(frozen=True)
class EffectType:
    """An action type under its name; `read` makes the effect of an action's members."""

    name: str
    read: Callable[[ActionReader], Effect]


NOTHING_LEFT = Nothing("no_effect", "nothing is left to take from the lines that the code is for")
NO_ITEMS = Nothing("no_effect", "no item in the order is one that the code is for")


def taken(portion: Portion, numerator: int = 1, denominator: int = 1) -> Cut | Nothing:
    """Return a share of a portion, rounded half up once."""
    if not portion.lines:
        return NOTHING_LEFT
    amount = half_up(sum(portion.weights) * numerator, portion.per * denominator)
    return Cut(amount, portion.lines, portion.weights)
