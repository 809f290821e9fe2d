"""What rules do with a discount that exists: a reminder, or a later end."""

from __future__ import annotations

from msgspec.structs import replace

from adapter.model.discounts import DiscountRecord
from adapter.model.triggers import Care
from adapter.rules.guardrails.proposal import Proposal, Verdict


def pushed(care: Care | None) -> str:
    """Return the type of the event that destinations receive of what a rule gave."""
    if care is None:
        return "discount.issued"
    return "discount.reminded" if care.extend_by is None else "discount.extended"


def cares(verdict: Verdict) -> bool:
    """Tell whether a verdict is of a rule that issues nothing, so that no discount is in its way."""
    return any(each.rule.care is not None for each in verdict.proposals)


def cared_for(held: DiscountRecord, proposal: Proposal, care: Care) -> DiscountRecord:
    """Return a discount after a reminder, or with a later end, and with what the rule's limits count of it.

    The counts are released as those of its own rule, when it is revoked or expires.
    """
    ends = held.discount.expires_at
    if ends is not None and care.extend_by is not None:
        ends += care.extend_by
    discount = replace(held.discount, expires_at=ends)
    return replace(held, discount=discount, claims=(*proposal.claims, *held.claims), version=held.version + 1)
