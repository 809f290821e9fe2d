"""Counts and durations of the requests of one endpoint, kept in memory until the next flush of metrics."""

from __future__ import annotations

from collections import Counter

from adapter.metrics import Metrics

#: The maximum number of durations that are kept for the next flush of metrics.
_MAX_PENDING = 10_000


class RequestCounts:
    """Counts requests by status, and times them in seconds; `name` is the endpoint's label in metrics."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._name = name
        self._requests = metrics.requests
        self._seconds = metrics.request_seconds.labels(name)
        self._statuses: Counter[int] = Counter()
        self._durations: list[float] = []
        metrics.register_flush(self._flush)

    def note(self, seconds: float, status: int) -> None:
        """Count one request."""
        self._statuses[status] += 1
        self._durations.append(seconds)
        if len(self._durations) >= _MAX_PENDING:
            self._flush()

    def _flush(self) -> None:
        durations, self._durations = self._durations, []
        self._seconds.observe_all(durations)
        for status, count in self._statuses.items():
            self._requests.labels(self._name, str(status)).inc(count)
        self._statuses.clear()
