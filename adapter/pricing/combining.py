"""Which of the codes are used together: what does not stack is refused, or the best allowed set is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from adapter.model.codes import code_of, folded
from adapter.pricing.applying import Application
from adapter.pricing.best import best_set
from adapter.pricing.outcomes import Outcome, Refusal
from adapter.pricing.terms import Terms, conflict

#: `reject` refuses codes that cannot be combined, `best` uses the allowed set that saves most, and
#: `exclusive_first` lets the exclusive code that saves most win.
Mode = Literal["reject", "best", "exclusive_first"]
#: Outcomes by code; those of codes that are not used have their reason.
Outcomes = dict[str, Outcome]


def chosen(application: Application, mode: Mode) -> tuple[list[Terms], Outcomes]:
    """Return the codes that are used, in the order of application, and the others with their reasons."""
    if mode == "best":
        return _best(application)
    return _exclusive(application) if mode == "exclusive_first" else _rejected(application.terms)


def _pairs(terms: Sequence[Terms]) -> list[tuple[Terms, Terms]]:
    return [(one, other) for at, one in enumerate(terms) for other in terms[at + 1 :]]


def _beside(one: Terms, other: Terms) -> Outcome:
    theirs = code_of(other.code)
    message = f"{code_of(one.code)} cannot be combined with {theirs}"
    return Outcome(one, refusal=Refusal("rejected", "not_combinable", message, other=theirs))


def _rejected(terms: Sequence[Terms]) -> tuple[list[Terms], Outcomes]:
    refused = Outcomes()
    for one, other in _pairs(terms):
        if conflict(one, other):
            refused.setdefault(one.code, _beside(one, other))
            refused.setdefault(other.code, _beside(other, one))
    return [one for one in terms if one.code not in refused], refused


def _alone(application: Application, terms: Sequence[Terms]) -> Outcomes:
    """Return what each code would take if it were the only one."""
    return {one.code: application.apply(one, application.start()) for one in terms}


def _exclusive(application: Application) -> tuple[list[Terms], Outcomes]:
    """Return the exclusive code that saves most; the other codes where no exclusive one has an effect."""
    alone = _alone(application, [one for one in application.terms if one.exclusive])
    able = [outcome for outcome in alone.values() if outcome.amount]
    if not able:
        # Without an effect it excludes no other code: it is only reported.
        kept, refused = _rejected([one for one in application.terms if not one.exclusive])
        return kept, alone | refused
    best = min(able, key=lambda one: (*_negated(one), folded(one.terms.code))).terms
    used = [one for one in application.terms if code_of(one.code) == code_of(best.code)]
    return used, {one.code: _beside(one, best) for one in application.terms if one not in used}


def _negated(outcome: Outcome) -> tuple[int, int]:
    """Return what is saved and what is paid with credit, the most first."""
    return (0, -outcome.amount) if outcome.is_credit else (-outcome.amount, 0)


def _best(application: Application) -> tuple[list[Terms], Outcomes]:
    alone = _alone(application, application.terms)
    used = best_set(application, alone)
    return list(used), _left_out(application, used, alone)


def _left_out(application: Application, used: Sequence[Terms], alone: Outcomes) -> Outcomes:
    """Return why the other codes are not in the best set."""
    refused = Outcomes()
    for one in application.terms:
        if one in used:
            continue
        other = next((used_one for used_one in used if conflict(one, used_one)), None)
        if alone[one.code].refusal is not None:
            refused[one.code] = alone[one.code]
        elif other is not None:
            refused[one.code] = _beside(one, other)
        else:
            message = "the other codes save as much without it"
            refused[one.code] = Outcome(one, refusal=Refusal("no_effect", "not_needed", message))
    return refused
