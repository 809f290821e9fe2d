"""The sweeps: expired discounts, and data past its retention.

A code expires at its `expires_at` (`DiscountRecord.status_at`); the sweep only records it and releases the
counter reservations. Several processes may sweep at once: `submit` is idempotent.
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
from adapter.settings.values import Retention, Settings
from adapter.store.contract import Store
from adapter.store.values import RetentionKind

_log = logging.getLogger(__name__)


class Intervals(Struct, frozen=True, kw_only=True):
    """Intervals and limits of the sweeps, and retention by kind; None is no limit."""

    sweep: timedelta = timedelta(seconds=5)
    limit: int = 500
    purge: timedelta = timedelta(hours=1)
    keep_messages: timedelta = timedelta(days=30)
    keep_events: timedelta | None = timedelta(days=400)
    keep_decisions: timedelta | None = timedelta(days=90)
    keep_deliveries: timedelta | None = timedelta(days=30)
    keep_quarantined: timedelta | None = timedelta(days=400)
    keep_pending_moves: timedelta = timedelta(days=30)
    keep_holds: timedelta = timedelta(days=30)
    keep_failed_codes: timedelta = timedelta(minutes=10)
    keep_sign_ins: timedelta = timedelta(minutes=5)
    keep_audit: timedelta | None = timedelta(days=400)

    @classmethod
    def of(cls, keep: Retention) -> Intervals:
        """Return the intervals of the settings."""
        return cls(
            keep_messages=timedelta(days=keep.message_days),
            keep_events=kept_for(keep.event_days),
            keep_decisions=kept_for(keep.decision_days),
            keep_deliveries=kept_for(keep.delivery_days),
            keep_quarantined=kept_for(keep.quarantine_days),
            keep_pending_moves=timedelta(days=keep.pending_move_days),
            keep_audit=kept_for(keep.audit_days),
        )

    def kept(self) -> dict[RetentionKind, timedelta]:
        """Return the retention of each kind with a limit."""
        each: dict[RetentionKind, timedelta | None] = {
            "events": self.keep_events,
            "decisions": self.keep_decisions,
            "deliveries": self.keep_deliveries,
            "pending_moves": self.keep_pending_moves,
            "holds": self.keep_holds,
            "failed_codes": self.keep_failed_codes,
            "forwards": self.keep_deliveries,
            "quarantine": self.keep_quarantined,
            "audit": self.keep_audit,
            "sign_ins": self.keep_sign_ins,
        }
        return {kind: keep for kind, keep in each.items() if keep is not None}


def kept_for(days: int) -> timedelta | None:
    """Return the retention of a setting, in which 0 days are no limit."""
    return timedelta(days=days) if days else None


class Sweeps:
    """Sweeps `store` periodically.

    `submit(codes)` marks the codes expired and releases their reservations in one transaction, durable when
    it returns; it ignores codes that have not expired. `clock` returns aware datetimes.
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

    def follow(self, settings: Settings) -> None:
        """Use the retention of these settings from the next sweep on."""
        self._intervals = Intervals.of(settings.retention)

    async def sweep(self) -> list[str]:
        """Submit and return expired codes, at most the limit. Raises Unavailable."""
        codes = await self._store.lapsed(self._clock(), self._intervals.limit)
        if codes:
            await self._submit(codes)
        return codes

    async def purge_dedupe_keys(self) -> int:
        """Purge dedupe keys past their retention; return their number. Raises Unavailable."""
        return await self._store.purge_dedupe_keys(self._clock() - self._intervals.keep_messages)

    async def purge(self, kind: RetentionKind) -> int:
        """Purge rows of a kind past their retention; return their number. Raises Unavailable."""
        keep = self._intervals.kept().get(kind)
        gone = 0 if keep is None else await self._store.purge(kind, self._clock() - keep)
        if gone and kind == "quarantine":
            _log.warning("purged %d quarantined messages that were not replayed in time", gone)
        return gone

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; a running sweep completes."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_sweeping(stop))
            group.create_task(self._keep_purging(stop))

    async def _keep_sweeping(self, stop: asyncio.Event) -> None:
        before: list[str] = []
        while not stop.is_set():
            codes = await tried("expire discounts", self.sweep) or []
            # The same codes again mean that submitting had no effect; an immediate retry would not help.
            more = len(codes) == self._intervals.limit and codes != before
            before = codes
            if not more:
                await pause(stop, self._intervals.sweep)

    async def _keep_purging(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await tried("purge old message keys", self.purge_dedupe_keys)
            for kind in self._intervals.kept():
                if not stop.is_set():
                    await tried(f"purge old {kind}", partial(self.purge, kind))
            await pause(stop, self._intervals.purge)
