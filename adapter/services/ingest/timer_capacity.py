"""How many timers wait, and how many more may."""

from __future__ import annotations

import logging
from collections import Counter

from adapter.metrics import Metrics
from adapter.services.ingest.result import CommitResult
from adapter.store.contract import Store

_log = logging.getLogger(__name__)

#: From this share of the limit on, what waits is counted more often: others may be filling it as well.
_NEARLY_FULL = 0.9


class TimerCapacity:
    """Keeps how many timers wait under `most`.

    What waits is counted in the store now and then, and what this process arms in between is added, so one
    process never passes the limit. With several processes it can be exceeded by timers that the others arm
    between two counts; near the limit the count runs more often.
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
        """How many more timers may wait."""
        return max(0, self._most - self._waiting)

    @property
    def nearly_full(self) -> bool:
        """Whether nearly as many wait as may."""
        return self._waiting >= _NEARLY_FULL * self._most

    def note(self, result: CommitResult) -> None:
        """Take note of what a transaction did to timers."""
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
        """Learn from the store how many wait, and log what found no room since. Raises Unavailable."""
        self._armed = 0
        counted = (await self._store.counts())["timers"]
        # What was armed meanwhile may be counted or not: rather twice than never.
        self._waiting = counted + self._armed
        self._metrics.timers_waiting.set(self._waiting)
        if self._unarmed:
            _log.warning(
                "no room for more timers: raise ingest.max_timers, or wait less long",
                extra={"max_timers": self._most, "refused_by_rule": dict(self._unarmed)},
            )
            self._unarmed.clear()
