"""Decisions in sentences: what happened to each rule, and why."""

from __future__ import annotations

from adapter.model.decisions import Decision, RuleOutcome


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
        variant = f" (variant {outcome.variant})" if outcome.variant else ""
        return f"{outcome.rule}: issued {outcome.code}{variant}: {outcome.reason}"
    guardrail = f" ({outcome.guardrail})" if outcome.guardrail else ""
    return f"{outcome.rule}: {outcome.reason}{guardrail}"
