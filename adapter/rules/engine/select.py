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
    order: Sequence[Proposal] = ranked((*verdict.proposals, *empty))
    if any(each.rule.campaign is not None for each in order):
        order = in_turn(order)
    selection = _Selection(verdict, live, used)
    for proposal in order:
        selection.weigh(proposal, lacking=proposal in empty)
    return Choice(tuple(selection.granted), tuple(selection.outcomes))


class _Selection:
    """What is granted so far, why others are not, and what is left for those behind them."""

    def __init__(
        self, verdict: Verdict, live: Sequence[DiscountRecord], used: Mapping[ScopedKey, int]
    ) -> None:
        self.granted: list[Proposal] = []
        self.outcomes: list[RuleOutcome] = []
        self._verdict = verdict
        self._live = live
        counters = {(claim.scope, claim.key) for each in verdict.proposals for claim in each.claims}
        self._used = {counter: used.get(counter, 0) for counter in counters}
        #: Campaigns of which nothing more is issued, and why.
        self._closed: dict[str, str] = {}

    def weigh(self, proposal: Proposal, *, lacking: bool) -> None:
        """Grant a proposal, or say why not; a `lacking` one has no code, and may only close its campaign."""
        campaign = None if proposal.rule.campaign is None else exclusive(proposal.rule)
        if campaign is not None and campaign.name in self._closed:
            if not lacking:
                self.outcomes.append(_refused(proposal, self._closed[campaign.name], EXCLUSIVE))
            return
        choice = Choice((), ()) if lacking else self._weighed(proposal)
        if choice is None:
            return
        self.outcomes += choice.outcomes
        if campaign is not None and (end := _end(proposal, choice)):
            self._closed[campaign.name] = f"{proposal.rule.name} of the campaign {campaign.name} {end}"

    def _weighed(self, proposal: Proposal) -> Choice | None:
        """Grant a proposal that may be issued, and return the choice; None where a discount is in its way."""
        out = replaced(proposal, self._live)
        left = [each for each in self._live if each not in out] if out else self._live
        why = beaten_by_held(proposal, left, self._verdict) or beaten_by_granted(proposal, self.granted)
        if why is not None:
            self.outcomes.append(_refused(proposal, why, "stackable"))
            return None
        freed = _without(self._used, out) if out else self._used
        choice = _alone(proposal, freed)
        for each in choice.granted:
            self.granted.append(replace(each, replacing=tuple([one.discount.code for one in out])))
            self._live, self._used = left, freed
            for claim in each.claims:
                self._used[claim.scope, claim.key] += claim.amount
        return choice


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
