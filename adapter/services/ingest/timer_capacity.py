"""The number of timers, and how many may be added."""

from __future__ import annotations

import logging
from collections import Counter

from adapter.metrics import Metrics
from adapter.services.ingest.result import CommitResult
from adapter.store.contract import Store

_log = logging.getLogger(__name__)

#: From this share of the limit on, timers are counted more often: other processes add timers too.
_NEARLY_FULL = 0.9


class TimerCapacity:
    """Keeps the number of timers within `most`.

    The timers in the store are counted periodically, and those started by this process since are added, so
    one process never exceeds the limit. With several processes it can be exceeded by timers that the others
    start between two counts; near the limit the count runs more often.
    """

    def __init__(self, store: Store, metrics: Metrics, most: int = 1_000_000) -> None:
        self._store = store
        self._metrics = metrics
        self._most = most
        self._waiting = 0
        self._armed = 0
        self._unarmed: Counter[str] = Counter()

    @property
    def room(self) -> int:
        """The number of timers that may be added."""
        return max(0, self._most - self._waiting)

    @property
    def nearly_full(self) -> bool:
        """Whether the number of timers is near the limit."""
        return self._waiting >= _NEARLY_FULL * self._most

    def note(self, result: CommitResult) -> None:
        """Count the timers that a transaction started and fired."""
        if result.fired:
            self._metrics.timers.labels("fired").inc(result.fired)
        if result.armed:
            self._waiting += result.armed
            self._armed += result.armed
            self._metrics.timers.labels("armed").inc(result.armed)
        if result.unarmed:
            self._unarmed.update(result.unarmed)
            self._metrics.timers.labels("refused").inc(sum(result.unarmed.values()))

    async def count(self) -> None:
        """Count the timers in the store, and log how many were rejected since. Raises Unavailable."""
        self._armed = 0
        counted = (await self._store.counts())["timers"]
        # Timers started meanwhile may be in the count or not: better counted twice than not at all.
        self._waiting = counted + self._armed
        self._metrics.timers_waiting.set(self._waiting)
        if self._unarmed:
            _log.warning(
                "the limit of timers is reached; raise ingest.max_timers, or shorten `within` of the rules",
                extra={"max_timers": self._most, "refused_by_rule": dict(self._unarmed)},
            )
            self._unarmed.clear()
