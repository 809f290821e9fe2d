"""The set of codes that saves most, among those that may be used together."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from adapter.model.codes import folded
from adapter.pricing.applying import Application
from adapter.pricing.outcomes import Outcome, State
from adapter.pricing.terms import Terms, conflict

#: Up to so many codes that take something, every allowed set is compared: 1,023 at most.
EXACT_CODES = 10
#: With more codes, so often each of them is tried in place of those that it conflicts with.
_ROUNDS = 3
#: What is saved, what is paid with credit, fewer codes, folded codes: the smallest is best.
_Rank = tuple[int, int, int, list[str]]


class _Set(Struct, frozen=True):
    """Codes that are used together, in the order of application, and what they leave."""

    terms: tuple[Terms, ...]
    state: State
    saved: int = 0
    credit: int = 0

    def rank(self) -> _Rank:
        codes = sorted(folded(one.code) for one in self.terms)
        return -self.saved, -self.credit, len(codes), codes


def best_set(application: Application, alone: dict[str, Outcome]) -> tuple[Terms, ...]:
    """Return the allowed set that saves most; `alone` has what each code takes by itself.

    Of sets that save the same, the one that pays more with credit is taken, then the one with fewer codes,
    then the one whose folded codes come first. A code that takes nothing by itself is in no set.
    """
    able = [one for one in application.terms if _counts(alone[one.code])]
    if len(able) <= EXACT_CODES:
        return _exact(application, able).terms
    return _climbed(application, able, alone).terms


def _counts(outcome: Outcome) -> bool:
    """Tell whether a code takes something, or might where others leave it less to charge to its budget."""
    return outcome.refusal is None or outcome.refusal.reason == "budget_exhausted"


def _exact(application: Application, able: Sequence[Terms]) -> _Set:
    """Return the best of all allowed sets; those that begin with the same codes share the work."""
    sets = [_Set((), application.start())]
    for one in able:
        sets += [grown for old in sets if (grown := _grown(application, old, one)) is not None]
    return min(sets, key=_Set.rank)


def _grown(application: Application, old: _Set, one: Terms) -> _Set | None:
    """Return a set with one code more, None where it may not be or takes nothing."""
    if any(conflict(member, one) for member in old.terms):
        return None
    outcome = application.apply(one, old.state)
    if outcome.refusal is not None:
        return None
    state = old.state.copy()
    state.book(outcome)
    credit = outcome.amount if outcome.is_credit else 0
    return _Set((*old.terms, one), state, old.saved + outcome.amount - credit, old.credit + credit)


def _climbed(application: Application, able: Sequence[Terms], alone: dict[str, Outcome]) -> _Set:
    """Return a good set: codes that take most by themselves first, each in place of those it conflicts with.

    A set is only replaced by a better one, so the result does not depend on the order of the request.
    """
    by_amount = sorted(able, key=lambda one: (-alone[one.code].amount, folded(one.code)))
    best = _Set((), application.start())
    for _ in range(_ROUNDS):
        before = best
        for one in by_amount:
            if one not in best.terms:
                kept = [member for member in best.terms if not conflict(member, one)]
                best = min(best, _used(application, able, [*kept, one]), key=_Set.rank)
        if best is before:
            break
    return best


def _used(application: Application, able: Sequence[Terms], terms: Sequence[Terms]) -> _Set:
    """Return the set of these codes, without those that take nothing beside the others."""
    found = _Set((), application.start())
    for one in able:
        if one in terms:
            found = _grown(application, found, one) or found
    return found
