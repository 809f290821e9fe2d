"""What one code comes to on an order: the amounts that it takes, or why it takes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from adapter.pricing.effects.contract import Stage, Suggestion
from adapter.pricing.terms import Terms

#: `rejected` refuses a redemption; a code of `no_effect` is only left out of it.
Kind = Literal["rejected", "no_effect"]


class Refusal(Struct, frozen=True):
    """Why a code takes nothing: a stable reason, a sentence, and what is missing.

    `missing_amount` is in minor units, `missing_units` in millionths. `other` is the code that it cannot be
    combined with. `missing` is what else is missing, as a document.
    """

    kind: Kind
    reason: str
    message: str
    missing_amount: int | None = None
    missing_units: int | None = None
    other: str | None = None
    missing: Mapping[str, Any] | None = None


class Outcome(Struct, frozen=True):
    """What a code takes, by the place of a line: minor units in `parts`, millionths of units in `units`."""

    terms: Terms
    amount: int = 0
    parts: Sequence[tuple[int, int]] = ()
    units: Sequence[tuple[int, int]] = ()
    refusal: Refusal | None = None
    suggested: Suggestion | None = None

    @property
    def is_credit(self) -> bool:
        """Whether it is paid with credit, not discounted."""
        return self.terms.effect.stage is Stage.CREDIT


class State(Struct):
    """What is left of the lines and of the budgets, in minor units; changed by `book`."""

    amounts: list[int]
    budgets: dict[str, int]

    def copy(self) -> State:
        """Return a state of its own."""
        return State(self.amounts.copy(), self.budgets.copy())

    def book(self, outcome: Outcome) -> None:
        """Take off what a code takes."""
        for at, amount in outcome.parts:
            self.amounts[at] -= amount
        for name in outcome.terms.budgets:
            self.budgets[name] -= outcome.amount
