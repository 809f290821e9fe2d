"""Fire due timers of absence rules.

A timer is a row in the store. Every process polls for due ones, immediately after its start too; the
transaction that decides deletes the row, so that only one of several processes fires it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from adapter.model.timers import Timer
from adapter.services.ingest.result import Result
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.ingest.work_item import Work
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store


class Pacing(Struct, frozen=True, kw_only=True):
    """Intervals of polls and counts, and the limit of one poll.

    `count_full` is the interval of counts near the limit of timers.
    """

    look: timedelta = timedelta(seconds=1)
    limit: int = 500
    count: timedelta = timedelta(seconds=10)
    count_full: timedelta = timedelta(seconds=2)

    def rounds(self, *, full: bool) -> int:
        """Return the number of polls between two counts."""
        return max(1, (self.count_full if full else self.count) // self.look)


class Timers:
    """Fires due timers through `submit`, and counts all timers for `capacity`."""

    def __init__(
        self,
        store: Store,
        submit: Callable[[Sequence[Work]], Awaitable[list[Result]]],
        clock: Callable[[], datetime],
        capacity: TimerCapacity,
        pacing: Pacing | None = None,
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._capacity = capacity
        self._pacing = pacing or Pacing()

    async def fire(self) -> list[Timer]:
        """Submit and return due timers, at most the limit. Raises Unavailable."""
        now = self._clock()
        due = await self._store.due_timers(now, self._pacing.limit)
        if due:
            await self._submit([_work(timer, now) for timer in due])
        return due

    async def run(self, stop: asyncio.Event) -> None:
        """Poll for due timers until `stop` is set; a running poll completes."""
        before: list[Timer] = []
        turn = 0
        while not stop.is_set():
            if turn % self._pacing.rounds(full=self._capacity.nearly_full) == 0:
                await tried("count timers", self._capacity.count)
            due = await tried("fire timers", self.fire) or []
            # The same timers again mean that firing had no effect; an immediate retry would not help.
            more = len(due) == self._pacing.limit and due != before
            before, turn = due, turn + 1
            if not more:
                await pause(stop, self._pacing.look)


def _work(timer: Timer, now: datetime) -> Work:
    """Return the work of a due timer, without a dedupe key, because its row makes it fire once."""
    return Work("timer", "", timer.event.id, now, document=msgspec.to_builtins(timer), timer=timer)
