"""Which discounts exclude each other, and which of them goes first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET

from adapter.model.discounts import DiscountRecord
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.guardrails.valuation import worth

_UNTIL_USED = "which holds back all others until it is used"


def ranked(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals in the order in which they are granted.

    Rules that say `block` come last, because they give way to every other; of the rest, those that hold back
    others come first. As soon as one of the rest says `best_value`, all compete by what they are worth; else
    by priority, then by worth. Ties go by name.
    """
    by_value = any(proposal.rule.conflicts == "best_value" for proposal in proposals)

    def place(proposal: Proposal) -> tuple[bool, bool, Decimal, Decimal, str]:
        rule = proposal.rule
        keys = (-Decimal(rule.priority), -proposal.worth)
        first, second = reversed(keys) if by_value else keys
        return rule.conflicts == "block", not rule.holds_back, first, second, rule.name

    return sorted(proposals, key=place)


def beaten_by_held(proposal: Proposal, held: Sequence[DiscountRecord], verdict: Verdict) -> str | None:
    """Return why a discount that the customer holds keeps a proposal from being issued, else None."""
    rule = proposal.rule
    if rule.conflicts == "none":
        return None
    for other in held:
        terms = other.checkout
        holds_back = terms is not UNSET and terms.holds_back and not other.discount.begun
        independent = terms is not UNSET and terms.independent
        both = rule.guardrails.stackable and other.discount.stackable
        if not holds_back and (independent or both):
            continue
        named = f"the customer holds {other.discount.code} of {other.rule}"
        if holds_back:
            return f"{named}, {_UNTIL_USED}"
        if rule.conflicts == "block":
            return f"{named}, and this rule does not stack with other discounts"
        if rule.conflicts == "best_value":
            theirs = _left_worth(other, proposal)
            if proposal.worth <= theirs:
                return f"{named}, worth {theirs:f} against {proposal.worth:f}"
        elif rule.priority <= verdict.priorities.get(other.rule, other.priority):
            if other.discount.stackable:
                return f"{named}, and this rule, which does not stack, has no higher priority"
            return f"{named}, which does not stack, and this rule has no higher priority"
    return None


def beaten_by_granted(proposal: Proposal, granted: Sequence[Proposal]) -> str | None:
    """Return why a discount granted for the same event keeps a proposal from being issued, else None."""
    rule = proposal.rule
    if rule.conflicts == "none":
        return None
    for other in granted:
        if other.rule.holds_back:
            return f"{other.rule.name} goes first on the same event, {_UNTIL_USED}"
        if other.rule.conflicts == "none":
            continue
        if rule.holds_back or not (rule.guardrails.stackable and other.rule.guardrails.stackable):
            return f"{other.rule.name} goes first on the same event, and the two do not stack"
    return None


def _left_worth(held: DiscountRecord, proposal: Proposal) -> Decimal:
    """Return what the benefits of a discount that are not used are worth on the same cart."""
    left = [each.action for each in held.discount.benefits if each.status != "redeemed"]
    return sum((worth(action, proposal.cart, proposal.shipping) for action in left), Decimal(0))
