"""One code applied to what earlier codes left of an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR

from adapter.model.money import minor_units
from adapter.pricing.allocation import allocate
from adapter.pricing.effects.contract import Cut, Nothing
from adapter.pricing.left import Left
from adapter.pricing.numbers import money
from adapter.pricing.ordering import place, tie_ranks
from adapter.pricing.outcomes import Outcome, Refusal, State
from adapter.pricing.scope import Sheet, UnpayableAmount
from adapter.pricing.terms import Budget, Minimum, Terms


class Application:
    """Codes on one order, in the order in which they are applied: by class, priority and folded code."""

    def __init__(self, sheet: Sheet, terms: Sequence[Terms], budgets: Mapping[str, Budget]) -> None:
        self.sheet = sheet
        self.terms = sorted(terms, key=place)
        self._budgets = budgets
        self._ranks = tie_ranks(sheet, self.terms)

    def start(self) -> State:
        """Return the order before any code."""
        currency = self.sheet.currency
        left = {name: max(0, minor_units(budget.left, currency, ROUND_FLOOR))
                for name, budget in self._budgets.items()}  # fmt: skip
        return State(self.sheet.totals.copy(), left)

    def run(self, terms: Sequence[Terms]) -> list[Outcome]:
        """Return what some of the codes take, one after the other."""
        state, outcomes = self.start(), list[Outcome]()
        for one in terms:
            outcomes.append(self.apply(one, state))
            state.book(outcomes[-1])
        return outcomes

    def apply(self, terms: Terms, state: State) -> Outcome:
        """Return what one code takes of what is left; the state is not changed."""
        left = Left(self.sheet, state.amounts, self._ranks.get(terms.code))
        try:
            refusal = self._currency(terms) or _minimum(terms, left)
            if refusal is not None:
                return Outcome(terms, refusal=refusal)
            found = terms.effect.cut(left, terms.balance)
            if isinstance(found, Nothing):
                return _nothing(terms, found)
            most = None if terms.max_amount is None else self.sheet.money(terms.max_amount)
        except UnpayableAmount as error:
            message = f"{error.amount:f} is no amount that {self.sheet.currency} can pay"
            return Outcome(terms, refusal=Refusal("rejected", "invalid_amount", message))
        caps = [state.amounts[at] for at in found.lines]
        wanted = min(found.amount, sum(caps))
        granted = self._granted(terms, wanted if most is None else min(wanted, most), state)
        if isinstance(granted, Refusal):
            return Outcome(terms, refusal=granted, suggested=found.suggested)
        if granted == 0:
            return _nothing(terms, Nothing("no_effect", "the code takes nothing off", None, found.suggested))
        return _taken(terms, found, granted, caps, left.ranks)

    def _currency(self, terms: Terms) -> Refusal | None:
        currency = self.sheet.currency
        named = [terms.currency if terms.names_money else None]
        named += [self._budgets[name].currency for name in terms.budgets]
        for other in named:
            if other is not None and other != currency:
                message = f"the order is in {currency}, and the code's amounts are in {other}"
                return Refusal("rejected", "currency_mismatch", message)
        return None

    def _granted(self, terms: Terms, wanted: int, state: State) -> int | Refusal:
        """Return how much of an amount the code's budgets allow."""
        granted = wanted
        for name in terms.budgets:
            left = state.budgets[name]
            granted = min(granted, left) if self._budgets[name].partial else granted
            if granted > left or (wanted and left == 0):
                missing = wanted - left
                message = f"the budget lacks {money(missing, self.sheet.currency)} {self.sheet.currency}"
                return Refusal("rejected", "budget_exhausted", message, missing_amount=missing)
        return granted


def _nothing(terms: Terms, found: Nothing) -> Outcome:
    refusal = Refusal("no_effect", found.reason, found.message, missing_units=found.missing_units)
    return Outcome(terms, refusal=refusal, suggested=found.suggested)


def _taken(terms: Terms, cut: Cut, amount: int, caps: Sequence[int], ranks: Sequence[int] | None) -> Outcome:
    own = None if ranks is None else [ranks[at] for at in cut.lines]
    parts = allocate(amount, cut.weights, caps, own)
    return Outcome(
        terms,
        amount,
        [(at, part) for at, part in zip(cut.lines, parts, strict=True) if part],
        [] if cut.units is None else list(zip(cut.lines, cut.units, strict=True)),
        suggested=cut.suggested,
    )


def _minimum(terms: Terms, left: Left) -> Refusal | None:
    minimum, sheet = terms.minimum, left.sheet
    if minimum is None:
        return None
    missing = sheet.money(minimum.amount) - _reached(terms, minimum, left)
    if missing <= 0:
        return None
    message = f"{money(missing, sheet.currency)} {sheet.currency} more are needed"
    return Refusal("rejected", "minimum_not_reached", message, missing_amount=missing)


def _reached(terms: Terms, minimum: Minimum, left: Left) -> int:
    sheet = left.sheet
    lines = terms.effect.scope(sheet) if minimum.basis == "scope_before" else sheet.all_items
    amounts = left.amounts if minimum.basis == "items_after_earlier" else sheet.totals
    if minimum.excludes is None:
        return sum(amounts[at] for at in lines)
    excluded = sheet.matching(minimum.excludes)
    return sum(amounts[at] for at in lines if at >= sheet.count or not excluded[at])
