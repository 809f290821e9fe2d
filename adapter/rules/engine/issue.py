"""The discount that a granted proposal becomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from adapter.model.actions import Action
from adapter.model.discounts import (
    NO_TERMS,
    Benefit,
    BenefitTerms,
    CheckoutTerms,
    CounterReservation,
    Discount,
    DiscountRecord,
)
from adapter.model.environments import is_development
from adapter.model.events import Event
from adapter.model.money import minor_units
from adapter.model.rules import Rule
from adapter.rules.action_types.registry import type_of
from adapter.rules.guardrails.budget import counted_currency
from adapter.rules.guardrails.proposal import Proposal
from adapter.rules.guardrails.validity import expiry
from adapter.rules.guardrails.valuation import most


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
    if rule.variant is not None:
        metadata["variant"] = rule.variant
    granted = (proposal.action or rule.action, *(proposal.more_actions or rule.more_actions))
    actions = [type_of(each).issued(each, expires_at) for each in granted]
    discount = Discount(code, actions[0], expires_at, metadata, rule.guardrails.stackable, "issued")
    record = DiscountRecord(
        discount, source_id, rule.name, event.id, now, now, proposal.claims, priority=rule.priority,
        checkout=_terms(rule, proposal), push=UNSET if rule.push is None else rule.push,
        development=True if is_development(event.context) else UNSET,
    )  # fmt: skip
    return record if len(actions) == 1 else _with_benefits(record, actions)


def _with_benefits(record: DiscountRecord, actions: Sequence[Action]) -> DiscountRecord:
    """Return a record with several benefits; of what budgets have reserved each has a part of its own."""
    uses = tuple(claim for claim in record.claims if counted_currency(claim) is None)
    own: list[list[CounterReservation]] = [[] for _ in actions]
    for claim in record.claims:
        if (currency := counted_currency(claim)) is not None:
            for part, amount in zip(own, _parts(claim.amount, actions, currency), strict=True):
                part.append(replace(claim, amount=amount))
    return replace(
        record,
        discount=replace(record.discount, actions=tuple(Benefit(each, "issued") for each in actions)),
        claims=(*uses, *(claim for part in own for claim in part)),
        benefits=tuple(BenefitTerms(claims=len(part)) for part in own),
    )


def _parts(amount: int, actions: Sequence[Action], currency: str) -> list[int]:
    """Return how an amount reserved is split: the most of each benefit, the rest for what has no bound."""
    bounds = [most(action) for action in actions]
    parts = [0 if bound is None else minor_units(bound, currency) for bound in bounds]
    parts[bounds.index(None) if None in bounds else 0] += amount - sum(parts)
    return parts


def _terms(rule: Rule, proposal: Proposal) -> CheckoutTerms | UnsetType:
    """Return what the record keeps for the checkout, which is not written where it says nothing."""
    terms = CheckoutTerms(
        currency=proposal.currency,
        stacking_group=rule.stacking_group,
        exclusive=rule.exclusive,
        independent=rule.conflicts == "none",
        holds_back=rule.holds_back,
        partial_budget=proposal.partial_budget,
        on_refund=rule.on_refund,
    )
    return UNSET if terms == NO_TERMS else terms
