"""Timers: what waits for something not to happen is decided when its time has come.

A timer is a row in the store. Every process looks for due ones, at once after a start; the deciding
transaction ends the row that it fires, so that of all who find it due one fires it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from adapter.metrics import Metrics
from adapter.model.timers import Timer
from adapter.services.ingest.result import Result, Settled
from adapter.services.ingest.work_item import Work
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

_log = logging.getLogger(__name__)


#: From this share of the limit on, what waits is counted more often: others may be filling it as well.
_NEARLY_FULL = 0.9


class Pacing(Struct, frozen=True, kw_only=True):
    """How often due timers are looked for, how many one look takes, and how often all are counted.

    `count_full` is for when nearly as many wait as may.
    """

    look: timedelta = timedelta(seconds=1)
    limit: int = 500
    count: timedelta = timedelta(seconds=10)
    count_full: timedelta = timedelta(seconds=2)

    def rounds(self, *, full: bool) -> int:
        """Return at every how many looks all are counted."""
        return max(1, (self.count_full if full else self.count) // self.look)


class Timers:
    """Fires due timers through `submit`, and keeps how many may wait under `most`.

    What waits is counted in the store now and then, and what this process arms in between is added, so one
    process never passes the limit. Several may, by what the others arm between two counts; that is why near
    the limit these follow each other quickly.
    """

    def __init__(
        self,
        store: Store,
        submit: Callable[[Sequence[Work]], Awaitable[list[Result]]],
        clock: Callable[[], datetime],
        metrics: Metrics,
        *,
        most: int = 1_000_000,
        pacing: Pacing | None = None,
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._metrics = metrics
        self._most = most
        self._pacing = pacing or Pacing()
        self._waiting = 0
        self._armed = 0
        self._unarmed: Counter[str] = Counter()

    @property
    def room(self) -> int:
        """How many more timers may wait."""
        return max(0, self._most - self._waiting)

    def note(self, settled: Settled) -> None:
        """Take note of what a transaction did to timers."""
        if settled.fired:
            self._metrics.timers.labels("fired").inc(settled.fired)
        if settled.armed:
            self._waiting += settled.armed
            self._armed += settled.armed
            self._metrics.timers.labels("armed").inc(settled.armed)
        if settled.unarmed:
            self._unarmed.update(settled.unarmed)
            self._metrics.timers.labels("refused").inc(sum(settled.unarmed.values()))

    async def count(self) -> None:
        """Learn from the store how many wait, and say what found no room since. Raises Unavailable."""
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

    async def fire(self) -> list[Timer]:
        """Decide the timers that are due, at most the limit; return them. Raises Unavailable."""
        now = self._clock()
        due = await self._store.due_timers(now, self._pacing.limit)
        if due:
            await self._submit([_work(timer, now) for timer in due])
        return due

    async def run(self, stop: asyncio.Event) -> None:
        """Look for due timers until `stop` is set; what runs is finished."""
        before: list[Timer] = []
        turn = 0
        while not stop.is_set():
            if turn % self._pacing.rounds(full=self._waiting >= _NEARLY_FULL * self._most) == 0:
                await tried("count timers", self.count)
            due = await tried("fire timers", self.fire) or []
            # The same timers again mean that firing did not end them: to insist would only burn the store.
            more = len(due) == self._pacing.limit and due != before
            before, turn = due, turn + 1
            if not more:
                await pause(stop, self._pacing.look)


def _work(timer: Timer, now: datetime) -> Work:
    """Return the work of a due timer: without a dedupe key, for it is its row that makes it fire once."""
    return Work("timer", "", timer.event.id, now, document=msgspec.to_builtins(timer), timer=timer)
