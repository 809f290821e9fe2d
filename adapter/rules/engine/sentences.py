"""Decisions in sentences: what happened to each rule, and why."""

from __future__ import annotations

from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.discounts import Action, DiscountRecord
from adapter.rules.action_types.registry import type_of


def explain(decision: Decision) -> list[str]:
    """Return one sentence for each rule that the event reached, and one before them for the event."""
    at = decision.decided_at.strftime("%Y-%m-%d %H:%M:%S")
    lines = [f"{decision.event} of {decision.source_id} ({decision.event_id}), decided at {at} UTC"]
    lines += [sentence(outcome) for outcome in decision.outcomes]
    if decision.untold:
        lines.append(f"and {decision.untold} more rules, whose conditions do not hold")
    return lines if decision.outcomes else [*lines, decision.reason or "no rule is triggered by it"]


def sentence(outcome: RuleOutcome) -> str:
    """Return what became of one rule: `ten: not issued: cart_value is 96.50, needs at least 120`."""
    if outcome.outcome == "issued":
        return f"{outcome.rule}: issued {outcome.code}: {outcome.reason}"
    guardrail = f" ({outcome.guardrail})" if outcome.guardrail else ""
    return f"{outcome.rule}: {outcome.reason}{guardrail}"


def promised(held: DiscountRecord) -> str:
    """Return what a discount promises: `HV15-8K2F: 15% off, at most 40, until 2024-07-16 18:24 UTC`."""
    ends = held.discount.expires_at
    until = "" if ends is None else f", until {ends:%Y-%m-%d %H:%M} UTC"
    return f"{held.discount.code}: {benefit(held.discount.action)}{until}"


def benefit(action: Action) -> str:
    """Return what an action gives, in words."""
    return type_of(action).describe(action)
