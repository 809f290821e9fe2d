"""Fire scheduled rules over all customers, some at a time.

An occurrence is a row in the store. One process leases it and goes through the customers in the order of
their keys; the transaction that decides for some of them also saves how far the occurrence has come. So a
process that is killed loses nothing and repeats nothing: another one goes on when the lease has ended.

Rules that wait for a date of the customer read an index of the days of the year. It is kept with the
customers, and built in the same way, some customers at a time, when a rule first names the date.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import AdapterError
from adapter.metrics import Metrics
from adapter.model.encoding import encode
from adapter.model.triggers import Every, OnDate
from adapter.rules.engine.occurrences import latest_due, next_due
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.schedules import ScheduledRule, event_id
from adapter.services.background.schedule_pages import Keyed, SchedulePages
from adapter.services.ingest.history_completion import Unprepared
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store
from adapter.store.schedule_contract import ScheduleLost, ScheduleRow, ScheduleStep
from adapter.store.schedule_rows import INDEXED, UNINDEXED
from adapter.store.values import Changes

_log = logging.getLogger(__name__)
_DATE = "date:"
#: An occurrence of a rule that the current files do not have is forgotten when it is due for this long:
#: servers may have different files for a while.
_FORGOTTEN = timedelta(hours=1)


class SchedulePacing(Struct, frozen=True, kw_only=True):
    """Intervals and bounds: customers of one read, firings of one transaction, and firings in a second.

    A read is followed by `rest`, so that ingest has the processor in between, and `slice_` customers are
    looked at without a break. A step is saved with the firings of a transaction, or after `unsaved` customers
    without so many: each step is a transaction for which ingest may wait.
    """

    look: timedelta = timedelta(seconds=1)
    lease: timedelta = timedelta(seconds=30)
    page: int = 100
    firings: int = 8
    slice_: int = 25
    unsaved: int = 1_000
    per_second: int = 200
    rest: timedelta = timedelta(milliseconds=20)


class ScheduleRunner:
    """Fires the scheduled rules of the current files."""

    def __init__(
        self,
        store: Store,
        files: LoadedFiles,
        transactions: Transactions,
        clock: Callable[[], datetime],
        *,
        worker: str,
        metrics: Metrics,
        complete: Callable[[Collection[str]], Awaitable[None]],
        pacing: SchedulePacing | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._transactions = transactions
        self._clock = clock
        self._worker = worker
        self._metrics = metrics
        self._complete = complete
        self._pacing = pacing or SchedulePacing()
        self._pages = SchedulePages(store, metrics, self._pacing.page, self._pacing.slice_)

    async def run(self, stop: asyncio.Event) -> None:
        """Fire what is due until `stop` is set; a running transaction completes."""
        while not stop.is_set():
            fired = await tried("fire schedules", self.turn)
            if fired is None:
                await pause(stop, self._pacing.look)
            else:
                slow = timedelta(seconds=fired / self._pacing.per_second)
                await pause(stop, max(slow, self._pacing.rest))

    async def turn(self) -> int | None:
        """Do one piece of one due occurrence; returns how many firings it had, None where nothing is due.

        Raises Unavailable.
        """
        rules, now = self._files.rules, self._clock()
        if not rules.schedules:
            return None
        rows = {row.name: row for row in await self._store.schedules()}
        if await self._start(rules, rows, now):
            rows = {row.name: row for row in await self._store.schedules()}
        await self._forget(rules, rows, now)
        due = [row for row in rows.values() if row.due_at <= now and row.name in rules.schedules.by_name]
        self._metrics.schedule_lag.set(max(((now - row.due_at).total_seconds() for row in due), default=0))
        traits = rules.schedules.traits
        building = [row for row in rows.values() if row.due_at == UNINDEXED and _trait(row) in traits]
        for row in [*building, *sorted(due, key=lambda each: each.due_at)]:
            done = await self._piece(rules, rows, row, now)
            if done is not None:
                return done
        return None

    async def _piece(
        self, rules: RuleSet, rows: dict[str, ScheduleRow], row: ScheduleRow, now: datetime
    ) -> int | None:
        """Do one piece of an occurrence; None where nothing can be done for it now."""
        scheduled = rules.schedules.by_name.get(row.name)
        if scheduled is not None and isinstance(scheduled.trigger, OnDate):
            index = rows.get(_DATE + scheduled.trigger.trait)
            if index is None or index.due_at != INDEXED:
                return None  # the occurrence waits until the index is complete
        leased = await self._leased(row, now)
        if leased is None:
            return None
        try:
            if scheduled is None:
                await self._index(leased, now)
                return 0
            return await self._fire(rules, scheduled, leased, now)
        except ScheduleLost:
            return 0

    async def _leased(self, row: ScheduleRow, now: datetime) -> ScheduleRow | None:
        """Return a row that is this worker's for a while; None where another one has it."""
        until = row.lease_until if row.worker == self._worker else None
        if until is not None and until - now > self._pacing.lease / 2:
            return row
        return await self._store.lease_schedule(row, self._worker, now, now + self._pacing.lease)

    async def _start(self, rules: RuleSet, rows: dict[str, ScheduleRow], now: datetime) -> bool:
        """Store the next occurrence of rules with a new schedule; returns whether there are any."""
        wanted = [
            ScheduleRow(name, written(each), next_due(each.trigger, now))
            for name, each in rules.schedules.by_name.items()
            if name not in rows or rows[name].schedule != written(each)
        ]
        wanted += [
            ScheduleRow(_DATE + trait, "", UNINDEXED)
            for trait in rules.schedules.traits
            if _DATE + trait not in rows
        ]
        for row in wanted:
            await self._store.start_schedule(row)
        return bool(wanted)

    async def _forget(self, rules: RuleSet, rows: dict[str, ScheduleRow], now: datetime) -> None:
        """Delete what the current files do not have: it must not be made up for when it comes back."""
        for row in rows.values():
            trait = _trait(row)
            if trait is not None:
                gone = trait not in rules.schedules.traits
            else:
                gone = row.name not in rules.schedules.by_name and row.due_at <= now - _FORGOTTEN
            if gone:
                await self._store.drop_schedule(row)

    async def _index(self, row: ScheduleRow, now: datetime) -> None:
        step = ScheduleStep(row, self._worker, now + self._pacing.lease)
        await self._store.index_dates(row.name.removeprefix(_DATE), step, self._pacing.page)

    async def _fire(self, rules: RuleSet, scheduled: ScheduledRule, row: ScheduleRow, now: datetime) -> int:
        """Fire for the next customers of an occurrence, or pass over it; returns how many fired."""
        skipped = None if row.reached else _skipped_to(scheduled, row.due_at, now)
        if skipped is not None:
            self._metrics.schedule_occurrences.labels("skipped").inc()
            await self._store.step_schedule(self._step(row, now, due_at=skipped))
            return 0
        pacing = self._pacing
        ahead = await self._pages.look(rules, row, now, pacing.firings)
        if not ahead.complete and len(ahead.firings) < pacing.firings and ahead.looked_at < pacing.unsaved:
            return 0
        self._pages.forget()
        if ahead.reached == row.reached:
            self._metrics.schedule_occurrences.labels("completed").inc()
            following = next_due(scheduled.trigger, row.due_at)
            await self._store.step_schedule(self._step(row, now, due_at=following))
            return 0
        await self._settle(ahead.firings, self._step(row, now, reached=ahead.reached), now)
        self._pages.saved(row, ahead)
        self._metrics.schedule_customers.labels("fired").inc(len(ahead.firings))
        return len(ahead.firings)

    async def _settle(self, firings: Sequence[Keyed], step: ScheduleStep, now: datetime) -> None:
        """Decide firings, and save the step with them. One that cannot be decided is logged and left out."""
        if not firings:
            await self._store.step_schedule(step)
            return
        works = [Work("schedule", "", event_id(firing), now, firing=firing) for _, firing in firings]
        try:
            await self._decided(works, step)
        except AdapterError:
            raise
        except Exception:  # noqa: BLE001 - it is logged, and costs no other customer their firing
            if len(works) > 1:
                await self._one_by_one(firings, step, now)
                return
            _log.exception("a firing of the schedule `%s` is left out", step.row.name)
            await self._store.step_schedule(step)

    async def _one_by_one(self, firings: Sequence[Keyed], step: ScheduleStep, now: datetime) -> None:
        """Decide firings each with a step of its own, so that one that fails costs no other."""
        row = step.row
        for key, firing in firings[:-1]:
            await self._settle([(key, firing)], replace(step, row=row, reached=key), now)
            row = replace(row, reached=key)
        await self._settle(firings[-1:], replace(step, row=row), now)

    async def _decided(self, works: Sequence[Work], step: ScheduleStep) -> None:
        def complete(changes: Changes, _results: list[Result]) -> Changes:
            return replace(changes, schedule=step)

        while True:
            try:
                await self._transactions.settle(works, None, complete)
                return
            except Unprepared as unprepared:
                await self._complete(unprepared.names)
                works = [replace(work, prepared=True) for work in works]

    def _step(
        self, row: ScheduleRow, now: datetime, *, reached: str = "", due_at: datetime | None = None
    ) -> ScheduleStep:
        return ScheduleStep(row, self._worker, now + self._pacing.lease, reached, due_at)


def _skipped_to(scheduled: ScheduledRule, due_at: datetime, now: datetime) -> datetime | None:
    """Return the occurrence that comes instead of one that is due, None where that one fires.

    Occurrences for all customers that were missed fire once, for the latest; for each date there are other
    customers, so each fires. An occurrence that is later than its rule allows does not fire.
    """
    trigger = scheduled.trigger
    latest = latest_due(trigger, now) if isinstance(trigger, Every) else due_at
    if trigger.late is not None and now - latest > trigger.late:
        return next_due(trigger, latest)
    return latest if latest > due_at else None


def written(scheduled: ScheduledRule) -> str:
    """Return a schedule as text, by which another one is told apart; how late it may be is no part of it."""
    return encode(replace(scheduled.trigger, late=None)).decode()


def _trait(row: ScheduleRow) -> str | None:
    return row.name.removeprefix(_DATE) if row.name.startswith(_DATE) else None
