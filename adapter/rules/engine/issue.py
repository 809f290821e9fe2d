"""The discount that a granted proposal becomes."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from adapter.model.discounts import Action, Discount, DiscountRecord, StoreCredit
from adapter.model.events import Event
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
    discount = Discount(
        code, _action(rule.action, expires_at), expires_at, metadata, rule.guardrails.stackable, "issued"
    )
    return DiscountRecord(
        discount, source_id, rule.name, event.id, now, now, proposal.claims, priority=rule.priority
    )


def _action(action: Action, expires_at: datetime | None) -> Action:
    """Return the action as it is issued: store credit carries its own end, which is the discount's."""
    return replace(action, expires_at=expires_at) if isinstance(action, StoreCredit) else action
