"""Count and log decisions: the outcome of each rule, and the guardrail. No values, no ids of customers.

The sentences with values are in the store (`GET /v1/decisions`, `adapter explain`), and in the log only if
configured: a value may be personal data.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from adapter.metrics import Metrics
from adapter.model.decisions import Decision, RuleOutcome

_log = logging.getLogger(__name__)


class DecisionCounts:
    """Counts decisions in memory; the metrics get the sums when they are flushed."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._decided = 0
        self._outcomes: Counter[tuple[str, str]] = Counter()
        metrics.register_flush(self._flush)

    def note(self, decisions: Sequence[Decision]) -> None:
        """Count decisions, and what became of the rules whose conditions held."""
        for decision in decisions:
            if decision.unevaluated is None:
                self._decided += 1
            for outcome in decision.outcomes:
                if outcome.outcome != "not_met":
                    self._outcomes[outcome.rule, outcome.outcome] += 1

    def _flush(self) -> None:
        decided, self._decided = self._decided, 0
        outcomes, self._outcomes = self._outcomes, Counter()
        if decided:
            self._metrics.decisions.inc(decided)
        for (rule, outcome), count in outcomes.items():
            self._metrics.rule_outcomes.labels(rule, outcome).inc(count)
            if outcome == "issued":
                self._metrics.discounts_issued.labels(rule).inc(count)


def log_decisions(decisions: Sequence[Decision], *, reasons: bool = False) -> None:
    """Log each decision, after the commit; `reasons` adds the rules' sentences.

    A decision is logged at info, or at debug if no rule's conditions were met.
    """
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
