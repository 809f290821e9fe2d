"""Timers: what waits for something not to happen is decided when its time has come.

A timer is a row in the store. Every process looks for due ones, at once after a start; the deciding
transaction ends the row that it fires, so that of all who find it due one fires it.
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
    """Fires due timers through `submit`, and has the waiting ones counted for their `capacity`."""

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
            if turn % self._pacing.rounds(full=self._capacity.nearly_full) == 0:
                await tried("count timers", self._capacity.count)
            due = await tried("fire timers", self.fire) or []
            # The same timers again mean that firing did not end them: to insist would only burn the store.
            more = len(due) == self._pacing.limit and due != before
            before, turn = due, turn + 1
            if not more:
                await pause(stop, self._pacing.look)


def _work(timer: Timer, now: datetime) -> Work:
    """Return the work of a due timer: without a dedupe key, for it is its row that makes it fire once."""
    return Work("timer", "", timer.event.id, now, document=msgspec.to_builtins(timer), timer=timer)
