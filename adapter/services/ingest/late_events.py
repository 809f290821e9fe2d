"""Events that are decided as of an earlier time, because an outbox held them since."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from adapter.model.decisions import RuleOutcome
from adapter.rules.guardrails.proposal import Proposal, Verdict
from adapter.rules.guardrails.validity import expiry


def still_usable(verdict: Verdict, at: datetime, now: datetime) -> tuple[Verdict, list[RuleOutcome]]:
    """Return a verdict as of `at` without discounts that would have ended by now, and why not these."""
    if at >= now:
        return verdict, []
    over = [each for each in verdict.proposals if _has_ended(each, at, now)]
    if not over:
        return verdict, []
    kept = tuple(each for each in verdict.proposals if each not in over)
    return replace(verdict, proposals=kept), [_outcome(each, at) for each in over]


def _has_ended(proposal: Proposal, at: datetime, now: datetime) -> bool:
    ends = expiry(proposal.rule, at)
    return ends is not None and ends <= now


def _outcome(proposal: Proposal, at: datetime) -> RuleOutcome:
    ends = expiry(proposal.rule, at)
    reason = (
        f"not issued: the event was received at {at:%Y-%m-%d %H:%M} UTC and decided later; its discount "
        f"would have ended at {ends:%Y-%m-%d %H:%M} UTC"
    )
    return RuleOutcome(proposal.rule.name, "withheld", reason, "expires_at")
