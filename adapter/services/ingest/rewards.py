"""Whom discounts are for: another customer than the event's, too, and what a merge does with those.

Nobody is rewarded for themselves. Two ids may turn out to be one customer in the same batch, or later: then
an unused discount that the one has earned for the other is revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from adapter.model.decisions import RuleOutcome
from adapter.model.discounts import DiscountRecord
from adapter.model.erasures import fingerprint
from adapter.model.operations import DiscountMove
from adapter.rules.engine.recipients import NAME
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.services.ingest.steps import Occurrence

_REASON = "it was earned by the customer's own event"


def rescoped(proposals: Iterable[Proposal], before: str, owner: str) -> tuple[Proposal, ...]:
    """Return proposals for a customer that was merged into another later in the same batch."""
    return tuple(
        replace(
            proposal,
            claims=tuple(
                replace(claim, scope=owner) if claim.scope == before else claim for claim in proposal.claims
            ),
        )
        for proposal in proposals
    )


def issued(proposal: Proposal, code: str) -> RuleOutcome:
    """Return why a proposal was granted, and what it has replaced."""
    replaced = f"; it replaces {', '.join(proposal.replacing)}" if proposal.replacing else ""
    rule, why = proposal.rule, f"every condition holds{replaced}"
    campaign = None if rule.campaign is None else rule.campaign.name
    return RuleOutcome(rule.name, "issued", why, code=code, variant=rule.variant, campaign=campaign)


def divided(
    step: Occurrence, canonical: Callable[[str], str]
) -> tuple[Verdict, dict[str, Verdict], list[RuleOutcome]]:
    """Return what an event's own customer may get, what others may, and outcomes that a merge has changed.

    `canonical` returns the current id of a customer.
    """
    owner, verdict = canonical(step.source_id), step.verdict
    proposals = verdict.proposals
    own = tuple([each for each in proposals if each.recipient is None])
    if owner != step.source_id:
        own = rescoped(own, step.source_id, owner)
    if len(own) == len(proposals) and not verdict.others:
        return (verdict if own == proposals else replace(verdict, proposals=own)), {}, []
    others = {canonical(name): said for name, said in verdict.others.items()}
    theirs: dict[str, list[Proposal]] = {name: [] for name in others if name != owner}
    refused: list[RuleOutcome] = []
    for each in proposals:
        if each.recipient is None:
            continue
        name = canonical(each.recipient)
        if name == owner:
            refused.append(RuleOutcome(each.rule.name, "withheld", f"not issued: {_REASON}", NAME))
        else:
            theirs.setdefault(name, []).extend(rescoped((each,), each.recipient, name))
    return (
        replace(verdict, proposals=own, others={}),
        {
            name: Verdict(tuple(found), others.get(name, ()), {}, verdict.priorities)
            for name, found in theirs.items()
        },
        refused,
    )


def earned_by(source_id: str) -> str:
    """Return the mark of the customer whose event has earned a discount for another."""
    return fingerprint(source_id).hex()


def own_rewards(
    joined: Mapping[str, Sequence[str]], held: Callable[[str], Iterable[DiscountRecord]]
) -> Iterator[DiscountMove]:
    """Yield the revocations of unused discounts that merged customers have earned for each other."""
    for owner, sources in joined.items():
        marks = {earned_by(name) for name in (owner, *sources)} if owner else set()
        for each in held(owner) if marks else ():
            if each.earned_by in marks and not each.discount.begun:
                yield DiscountMove("revoke", each.discount.code, reason=_REASON)
