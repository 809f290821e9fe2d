"""What may be issued, given what was issued before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from adapter.model.counter_key import ScopedKey
from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.ids import RESERVED
from adapter.rules.engine.campaigns import EXCLUSIVE, exclusive, falls_through, in_turn
from adapter.rules.engine.conflicts import beaten_by_granted, beaten_by_held, ranked
from adapter.rules.guardrails.counters import reason
from adapter.rules.guardrails.full_counters import whose
from adapter.rules.guardrails.proposal import Choice, Proposal, Verdict
from adapter.rules.guardrails.window_slots import alternatives


def choose(
    verdict: Verdict,
    held: Sequence[DiscountRecord],
    used: Mapping[ScopedKey, int],
    now: datetime,
    empty: Sequence[Proposal] = (),
) -> Choice:
    """Return the proposals that may be issued, and a sentence for each that may not.

    `held` are the customer's discounts (expired ones are left aside), `used` the present counters. A
    proposal that is refused makes room for the next one, in an exclusive campaign only where it says so.
    What is granted carries just the claims to add, of slots those of the one that is taken, and apart from
    them the claims that only look. `empty` are proposals whose code pool has no codes left; nothing is said
    of them. What it replaces is counted as revoked.
    """
    live = [discount for discount in held if discount.status_at(now) in ("issued", "applied")]
    if len(verdict.proposals) == 1 and not live and not empty:  # as most are: nothing to weigh
        return _alone(verdict.proposals[0], used)
    counters = {(claim.scope, claim.key) for each in verdict.proposals for claim in each.claims}
    standing = {counter: used.get(counter, 0) for counter in counters}
    granted: list[Proposal] = []
    outcomes: list[RuleOutcome] = []
    closed: dict[str, str] = {}  # campaigns of which nothing more is issued, and why
    order: Sequence[Proposal] = ranked((*verdict.proposals, *empty))
    for each in order:
        if each.rule.campaign is not None:
            order = in_turn(order)
            break
    for proposal in order:
        campaign = None if proposal.rule.campaign is None else exclusive(proposal.rule)
        lacking = proposal in empty
        if campaign is not None and campaign.name in closed:
            if not lacking:
                outcomes.append(_refused(proposal, closed[campaign.name], EXCLUSIVE))
            continue
        out = [] if lacking else replaced(proposal, live)
        left = [each for each in live if each not in out] if out else live
        why = (
            None
            if lacking
            else beaten_by_held(proposal, left, verdict) or beaten_by_granted(proposal, granted)
        )
        if why is not None:
            outcomes.append(_refused(proposal, why, "stackable"))
            continue
        freed = _without(standing, out) if out else standing
        choice = Choice((), ()) if lacking else _alone(proposal, freed)
        outcomes += choice.outcomes
        if campaign is not None and (end := _end(proposal, choice)):
            closed[campaign.name] = f"{proposal.rule.name} of the campaign {campaign.name} {end}"
        for each in choice.granted:
            granted.append(replace(each, replacing=tuple([one.discount.code for one in out])))
            live, standing = left, freed
            for claim in each.claims:
                standing[claim.scope, claim.key] += claim.amount
    return Choice(tuple(granted), tuple(outcomes))


def replaced(proposal: Proposal, held: Sequence[DiscountRecord]) -> list[DiscountRecord]:
    """Return the discounts that a proposal takes the place of: unused ones, which no checkout holds."""
    names = proposal.rule.replaces
    if not names:
        return []
    return [
        each
        for each in held
        if each.rule in names
        and not each.discount.begun
        and each.terms.rest is None
        and each.terms.held_by is None
    ]


def _without(standing: Mapping[ScopedKey, int], out: Sequence[DiscountRecord]) -> dict[ScopedKey, int]:
    """Return the counters as they are once discounts are revoked."""
    freed = dict(standing)
    for held in out:
        for claim in held.claims:
            personal = bool(claim.scope) and not claim.scope.startswith(RESERVED)
            counter = (held.source_id if personal else claim.scope), claim.key
            if counter in freed:
                freed[counter] -= claim.amount
    return freed


def _end(proposal: Proposal, choice: Choice) -> str:
    """Return why nothing more of an exclusive campaign is issued after a proposal, empty where it goes on."""
    if choice.granted:
        return "goes first"
    used_up = all(whose(outcome.guardrail or "") == "" for outcome in choice.outcomes)
    return "goes first, and is used up" if used_up and not falls_through(proposal.rule) else ""


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
