"""What may be issued, given what was issued before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import Claim, HeldDiscount
from adapter.model.money import from_minor_units
from adapter.rules.conflicts import beaten_by_granted, beaten_by_held, ranked
from adapter.rules.verdicts import Choice, Proposal, Verdict


def choose(verdict: Verdict, held: Sequence[HeldDiscount], used: Mapping[tuple[str, str], int],
           now: datetime) -> Choice:  # fmt: skip
    """Return the proposals that may be issued, and a sentence for each that may not.

    `held` are the customer's discounts (expired ones are left aside), `used` the counters as they stand,
    locked until the claims of what is granted are added to them. A proposal that is refused makes room for
    the next one.
    """
    live = [discount for discount in held if discount.status_at(now) in ("issued", "applied")]
    spent: Counter[tuple[str, str]] = Counter()
    granted: list[Proposal] = []
    outcomes: list[RuleOutcome] = []
    for proposal in ranked(verdict.proposals):
        reason, guardrail = (
            beaten_by_held(proposal, live, verdict) or beaten_by_granted(proposal, granted),
            "stackable",
        )
        if reason is None:
            full = exceeded(proposal.claims, used, spent)
            if full is None:
                granted.append(proposal)
                for claim in proposal.claims:
                    spent[claim.scope, claim.key] += claim.amount
                continue
            reason, guardrail = exhausted(full, used.get((full.scope, full.key), 0)), full.guardrail
        outcomes.append(RuleOutcome(proposal.rule.name, "withheld", f"not issued: {reason}", guardrail))
    return Choice(tuple(granted), tuple(outcomes))


def exceeded(claims: Sequence[Claim], used: Mapping[tuple[str, str], int],
             spent: Mapping[tuple[str, str], int]) -> Claim | None:  # fmt: skip
    """Return the first claim that would go over its cap, else None."""
    adding: Counter[tuple[str, str]] = Counter()
    for claim in claims:
        key = (claim.scope, claim.key)
        if used.get(key, 0) + spent.get(key, 0) + adding[key] + claim.amount > claim.cap:
            return claim
        adding[key] += claim.amount
    return None


_SPANS = {"day": "today", "week": "this week", "month": "this month", "total": "in all"}


def exhausted(claim: Claim, used: int) -> str:
    """Return what a claim that does not fit says to a marketer."""
    limit = claim.guardrail.removeprefix("global.")
    whose = "all rules together" if limit != claim.guardrail else "this rule"
    parts = claim.key.split("|")
    span = next((_SPANS[part] for part in parts[1:] if part in _SPANS), "")
    if limit == "cooldown":
        return f"{whose} gave {_holder(claim)} a discount less than {parts[2]} seconds ago"
    if limit == "budget":
        left = from_minor_units(max(0, claim.cap - used), parts[2])
        needed = from_minor_units(claim.amount, parts[2])
        return f"the budget of {whose} has {left} {parts[2]} left {span}, and the discount can cost {needed}"
    if claim.cap == 0:
        return (
            f"{limit} is 0, so {whose} issues nothing"
            if whose == "this rule"
            else f"{limit} over all rules is 0"
        )
    if claim.scope:
        return f"{_holder(claim)} has had {used} of {claim.cap} of {whose} {span}"
    return f"{used} of {claim.cap} discounts of {whose} are out {span}"


def _holder(claim: Claim) -> str:
    return "this device" if claim.scope.startswith("device:") else "the customer"
