"""The discount that a granted proposal becomes."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from adapter.model.discounts import NO_TERMS, CheckoutTerms, Discount, DiscountRecord
from adapter.model.environments import is_development
from adapter.model.events import Event
from adapter.model.rules import Rule
from adapter.rules.action_types.registry import type_of
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.guardrails.validity import expiry


def issue(proposal: Proposal, event: Event, source_id: str, code: str, now: datetime) -> DiscountRecord:
    """Return the record as in the data model, status `issued`, with the claims that were reserved for it."""
    rule = proposal.rule
    expires_at = expiry(rule, now)
    metadata = {
        "rule": rule.name,
        "issued_for_event_id": event.id,
        "user_id": source_id,
        **rule.metadata,
    }
    action = type_of(rule.action).issued(proposal.action or rule.action, expires_at)
    discount = Discount(code, action, expires_at, metadata, rule.guardrails.stackable, "issued")
    return DiscountRecord(
        discount, source_id, rule.name, event.id, now, now, proposal.claims, priority=rule.priority,
        checkout=_terms(rule, proposal), push=UNSET if rule.push is None else rule.push,
        development=True if is_development(event.context) else UNSET,
    )  # fmt: skip


def _terms(rule: Rule, proposal: Proposal) -> CheckoutTerms | UnsetType:
    """Return what the record keeps for the checkout, which is not written where it says nothing."""
    terms = CheckoutTerms(
        currency=proposal.currency,
        stacking_group=rule.stacking_group,
        exclusive=rule.exclusive,
        partial_budget=proposal.partial_budget,
        on_refund=rule.on_refund,
    )
    return UNSET if terms == NO_TERMS else terms
