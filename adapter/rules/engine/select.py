"""What may be issued, given what was issued before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapter.model.counter_key import ScopedKey
from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.rules.engine.conflicts import beaten_by_granted, beaten_by_held, ranked
from adapter.rules.guardrails.counters import reason
from adapter.rules.guardrails.proposal import Choice, Proposal, Verdict
from adapter.rules.guardrails.window_slots import alternatives


def choose(
    verdict: Verdict,
    held: Sequence[DiscountRecord],
    used: Mapping[ScopedKey, int],
    now: datetime,
) -> Choice:
    """Return the proposals that may be issued, and a sentence for each that may not.

    `held` are the customer's discounts (expired ones are left aside), `used` the present counters. A
    proposal that is refused makes room for the next one. What is granted carries just the claims to add, of
    slots those of the one that is taken, and apart from them the claims that only look.
    """
    live = [discount for discount in held if discount.status_at(now) in ("issued", "applied")]
    if len(verdict.proposals) == 1 and not live:  # as most are: nothing to weigh
        return _alone(verdict.proposals[0], used)
    counters = {(claim.scope, claim.key) for each in verdict.proposals for claim in each.claims}
    standing = {counter: used.get(counter, 0) for counter in counters}
    granted: list[Proposal] = []
    outcomes: list[RuleOutcome] = []
    for proposal in ranked(verdict.proposals):
        why = beaten_by_held(proposal, live, verdict) or beaten_by_granted(proposal, granted)
        if why is not None:
            outcomes.append(_refused(proposal, why, "stackable"))
            continue
        choice = _alone(proposal, standing)
        outcomes += choice.outcomes
        for each in choice.granted:
            granted.append(each)
            for claim in each.claims:
                standing[claim.scope, claim.key] += claim.amount
    return Choice(tuple(granted), tuple(outcomes))


def _alone(proposal: Proposal, used: Mapping[ScopedKey, int]) -> Choice:
    """Return what the counters let pass of a proposal that nothing else withholds."""
    taken = fitting(proposal.claims, used)
    if isinstance(taken, list):
        adding = tuple([claim for claim in taken if claim.amount])
        if len(adding) == len(proposal.claims):
            return Choice((proposal,), ())
        looks = tuple([claim for claim in taken if not claim.amount])
        return Choice((replace(proposal, claims=adding, looks=looks),), ())
    why = reason(taken, used.get((taken.scope, taken.key), 0))
    return Choice((), (_refused(proposal, why, taken.guardrail),))


def _refused(proposal: Proposal, why: str, guardrail: str) -> RuleOutcome:
    return RuleOutcome(proposal.rule.name, "withheld", f"not issued: {why}", guardrail)


def fitting(
    claims: Sequence[CounterReservation], used: Mapping[ScopedKey, int]
) -> list[CounterReservation] | CounterReservation:
    """Return the claims to add, when none goes over its cap; else the first that would."""
    fixed, groups = alternatives(claims)
    full = exceeded(fixed, used)
    if full is not None:
        return full
    for slots in groups:
        free = next((slot for slot in slots if exceeded(slot, used) is None), None)
        if free is None:
            return next(
                claim
                for claim in slots[0]
                if used.get((claim.scope, claim.key), 0) + claim.amount > claim.cap
            )
        fixed += free
    return fixed


def exceeded(
    claims: Sequence[CounterReservation], used: Mapping[ScopedKey, int]
) -> CounterReservation | None:
    """Return the first claim that would go over its cap, else None."""
    adding: dict[ScopedKey, int] = {}
    for claim in claims:
        counter = (claim.scope, claim.key)
        adding[counter] = amount = adding.get(counter, 0) + claim.amount
        if used.get(counter, 0) + amount > claim.cap:
            return claim
    return None
