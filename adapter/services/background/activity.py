"""Record by minute, and of rules by hour, how much the metrics of this process grow.

The metrics are counted anyway, so the hot path pays nothing. Every process adds what its own have grown by
since the round before. What a killed process has not added yet is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from adapter.metrics import Metrics
from adapter.model.activity import (
    BY_MINUTE,
    COMMIT_SECONDS,
    DECIDED,
    DELIVERIES,
    ISSUED,
    MESSAGES,
    REQUEST_SECONDS,
    REQUESTS,
    WITHHELD,
    ActivityCount,
    RuleCount,
    of_rule,
)
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

#: How long series are kept: those by minute, and those of rules.
KEEP_MINUTES = timedelta(days=3)
KEEP_HOURS = timedelta(days=31)
#: Rules whose series one process keeps, those with the first outcomes.
MOST_RULES = 1_000
#: What became of requests, by the first digit of their status.
_ANSWERS = {"2": "taken", "4": "refused", "5": "failed"}
#: Series of all rules, and counts of one, by the outcome of a rule.
_OUTCOMES: dict[str, tuple[str, RuleCount]] = {
    "issued": (ISSUED, "issued"),
    "withheld": (WITHHELD, "withheld"),
}
_MINUTELY = frozenset(BY_MINUTE)
#: A series, and what its metric has counted by now.
_Total = tuple[str, int]


class ActivityRecorder:
    """Adds to the store every `interval`, and trims it every `trim`.

    `endpoints` are the labels of those that take messages.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        clock: Callable[[], datetime],
        endpoints: Collection[str],
        *,
        interval: timedelta = timedelta(seconds=10),
        trim: timedelta = timedelta(hours=1),
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._endpoints = frozenset(endpoints)
        self._interval = interval
        self._trim = trim
        self._rules: set[str] = set()
        self._before = self._totals()

    async def add(self) -> None:
        """Add what the metrics have grown by since the last round that succeeded. Raises Unavailable."""
        now, totals = self._clock(), self._totals()
        minute = now.replace(second=0, microsecond=0)
        hour = minute.replace(minute=0)
        grown = {name: total - self._before.get(name, 0) for name, total in totals.items()}
        counted = [
            ActivityCount(name, minute if name in _MINUTELY else hour, amount)
            for name, amount in grown.items()
            if amount > 0
        ]
        if counted:
            await self._store.add_activity(counted)
        self._before = totals

    async def trim(self) -> None:
        """Delete what is too old. Raises Unavailable."""
        now = self._clock()
        await self._store.trim_activity(now - KEEP_MINUTES, BY_MINUTE)
        await self._store.trim_activity(now - KEEP_HOURS)

    async def run(self, stop: asyncio.Event) -> None:
        """Add and trim until `stop` is set, and then add once more."""
        trimmed = None
        while not stop.is_set():
            now = self._clock()
            if trimmed is None or now - trimmed >= self._trim:
                await tried("trim the activity", self.trim)
                trimmed = now
            await pause(stop, self._interval)
            await tried("record the activity", self.add)

    def _totals(self) -> dict[str, int]:
        self._metrics.flush()
        totals: dict[str, int] = {}
        for name, amount in (*self._of_messages(), *self._of_rules(), *self._of_durations()):
            totals[name] = totals.get(name, 0) + amount
        return totals

    def _of_messages(self) -> Iterator[_Total]:
        metrics = self._metrics
        for labels, value in _counts(metrics.messages):
            if labels["outcome"] in MESSAGES:
                yield MESSAGES[labels["outcome"]], value
        for labels, value in _counts(metrics.requests):
            if labels["endpoint"] in self._endpoints and labels["status"][0] in _ANSWERS:
                yield REQUESTS[_ANSWERS[labels["status"][0]]], value
        for labels, value in _counts(metrics.deliveries):
            if labels["outcome"] in DELIVERIES:
                yield DELIVERIES[labels["outcome"]], value
        for _, value in _counts(metrics.decisions):
            yield DECIDED, value

    def _of_rules(self) -> Iterator[_Total]:
        for labels, value in _counts(self._metrics.rule_outcomes):
            rule, outcome = labels["rule"], labels["outcome"]
            total, count = _OUTCOMES.get(outcome, (None, None))
            if total is not None:
                yield total, value
            if not self._has_series(rule) or outcome == "error":
                continue
            yield of_rule(rule, "triggered"), value
            if count is not None:
                yield of_rule(rule, count), value

    def _has_series(self, rule: str) -> bool:
        """Return whether the rule has series of its own; it gets them while there is room."""
        if len(self._rules) < MOST_RULES:
            self._rules.add(rule)
        return rule in self._rules

    def _of_durations(self) -> Iterator[_Total]:
        for labels, bound, value in _buckets(self._metrics.request_seconds):
            if labels["endpoint"] in self._endpoints and bound in REQUEST_SECONDS:
                yield REQUEST_SECONDS[bound], value
        for _, bound, value in _buckets(self._metrics.commit_seconds):
            if bound in COMMIT_SECONDS:
                yield COMMIT_SECONDS[bound], value


def _counts(metric: Any) -> Iterator[tuple[dict[str, str], int]]:
    """Yield the labels and values of a counter of this process."""
    for family in metric.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                yield sample.labels, int(sample.value)


def _buckets(metric: Any) -> Iterator[tuple[dict[str, str], str, int]]:
    """Yield the labels, upper bounds and values of a histogram's buckets, each without those below it."""
    for family in metric.collect():
        below = 0
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                value, bound = int(sample.value), sample.labels["le"]
                yield sample.labels, bound, value - below
                below = 0 if bound == "+Inf" else value
