"""Log decisions: the outcome of each rule, and the guardrail. No values, no ids of customers.

The sentences with values are in the store (`GET /v1/decisions`, `adapter explain`), and in the log only if
configured: a value may be personal data.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from adapter.metrics import Metrics
from adapter.model.decisions import Decision, RuleOutcome

_log = logging.getLogger(__name__)


def log_decisions(decisions: Sequence[Decision], metrics: Metrics, *, reasons: bool = False) -> None:
    """Count issued discounts and log each decision, after the commit; `reasons` adds the rules' sentences.

    A decision is logged at info, or at debug if no rule's conditions were met.
    """
    for decision in decisions:
        for outcome in decision.outcomes:
            if outcome.outcome == "issued":
                metrics.discounts_issued.labels(outcome.rule).inc()
    if not _log.isEnabledFor(logging.INFO):
        return
    for decision in decisions:
        met = any(outcome.outcome != "not_met" for outcome in decision.outcomes)
        level = logging.INFO if met else logging.DEBUG
        if _log.isEnabledFor(level):
            outcomes = [_plain(outcome, reasons=reasons) for outcome in decision.outcomes]
            more = {"untold": decision.untold} if decision.untold else {}
            _log.log(level, "decided", extra={"event": decision.event, "outcomes": outcomes, **more})


def _plain(outcome: RuleOutcome, *, reasons: bool) -> dict[str, str]:
    said: dict[str, str] = {"rule": outcome.rule, "outcome": outcome.outcome}
    if outcome.guardrail:
        said["guardrail"] = outcome.guardrail
    if reasons:
        said["reason"] = outcome.reason
    return said
