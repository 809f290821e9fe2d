"""The sweeps: discounts whose time has passed, and what is kept for a while only.

A code is expired the moment its time passes (`DiscountRecord.status_at`); the sweep only writes it down and
gives its guardrail claims back. Several processes may sweep at once: `submit` is idempotent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from adapter.services.periodic import pause, tried
from adapter.settings.values import Retention
from adapter.store.contract import Store
from adapter.store.values import RetentionKind

_log = logging.getLogger(__name__)


class Intervals(Struct, frozen=True, kw_only=True):
    """How often the sweeps run, how much one takes, and how long things are kept; None is for ever."""

    sweep: timedelta = timedelta(seconds=5)
    limit: int = 500
    forget: timedelta = timedelta(hours=1)
    keep_messages: timedelta = timedelta(days=30)
    keep_events: timedelta | None = timedelta(days=400)
    keep_decisions: timedelta | None = timedelta(days=90)
    keep_deliveries: timedelta | None = timedelta(days=30)
    keep_quarantined: timedelta | None = timedelta(days=400)
    keep_pending_moves: timedelta = timedelta(days=30)
    keep_holds: timedelta = timedelta(days=30)

    @classmethod
    def of(cls, keep: Retention) -> Intervals:
        """Return the intervals that the settings give."""
        return cls(
            keep_messages=timedelta(days=keep.message_days),
            keep_events=kept_for(keep.event_days),
            keep_decisions=kept_for(keep.decision_days),
            keep_deliveries=kept_for(keep.delivery_days),
            keep_quarantined=kept_for(keep.quarantine_days),
            keep_pending_moves=timedelta(days=keep.pending_move_days),
        )

    def kept(self) -> dict[RetentionKind, timedelta]:
        """Return how long each kind is kept that is not kept for ever."""
        each: dict[RetentionKind, timedelta | None] = {
            "events": self.keep_events,
            "decisions": self.keep_decisions,
            "deliveries": self.keep_deliveries,
            "pending_moves": self.keep_pending_moves,
            "holds": self.keep_holds,
            "quarantine": self.keep_quarantined,
        }
        return {kind: keep for kind, keep in each.items() if keep is not None}


def kept_for(days: int) -> timedelta | None:
    """Return how long something is kept by a setting, in which 0 days are for ever."""
    return timedelta(days=days) if days else None


class Expiry:
    """Sweeps `store` on the intervals.

    `submit(codes)` marks the codes expired and gives their claims back in one transaction, durable when it
    returns; codes that are not lapsed any more it leaves alone. `clock` gives aware moments.
    """

    def __init__(
        self,
        store: Store,
        submit: Callable[[Sequence[str]], Awaitable[Any]],
        clock: Callable[[], datetime],
        intervals: Intervals | None = None,
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._intervals = intervals or Intervals()

    async def sweep(self) -> list[str]:
        """Submit the codes that have lapsed, at most the limit; return them. Raises Unavailable."""
        codes = await self._store.lapsed(self._clock(), self._intervals.limit)
        if codes:
            await self._submit(codes)
        return codes

    async def forget(self) -> int:
        """Drop dedupe keys past their time; return how many. Raises Unavailable."""
        return await self._store.purge_dedupe_keys(self._clock() - self._intervals.keep_messages)

    async def forget_aged(self, kind: RetentionKind) -> int:
        """Drop what of a kind is past its time; return how many. Raises Unavailable."""
        keep = self._intervals.kept().get(kind)
        gone = 0 if keep is None else await self._store.purge(kind, self._clock() - keep)
        if gone and kind == "quarantine":
            _log.warning("dropped %d quarantined messages that nobody replayed in time", gone)
        return gone

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; the sweep that runs is finished."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_sweeping(stop))
            group.create_task(self._keep_forgetting(stop))

    async def _keep_sweeping(self, stop: asyncio.Event) -> None:
        before: list[str] = []
        while not stop.is_set():
            codes = await tried("expire discounts", self.sweep) or []
            # The same codes again mean that submitting did not help: to insist would only burn the store.
            more = len(codes) == self._intervals.limit and codes != before
            before = codes
            if not more:
                await pause(stop, self._intervals.sweep)

    async def _keep_forgetting(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await tried("forget old message keys", self.forget)
            for kind in self._intervals.kept():
                if not stop.is_set():
                    await tried(f"forget old {kind}", partial(self.forget_aged, kind))
            await pause(stop, self._intervals.forget)
