"""The worker of one destination: leases due deliveries, sends them concurrently, records the results."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from time import monotonic
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from adapter.destinations.contract import AboutCustomers, Attempt, Destination, Manner
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, Pause, Rendered
from adapter.model.pacing import Pacing
from adapter.services.delivery.batches import batches
from adapter.services.delivery.combining import left_out, superseded
from adapter.services.delivery.erasures import forward, is_erasure, noted
from adapter.services.delivery.order import Order
from adapter.services.delivery.outcomes import given_up, pause_after, result, returned
from adapter.services.delivery.prefetch import Prefetch
from adapter.services.delivery.quota import Quota
from adapter.services.delivery.tallies import Tallies
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult, Favour, HolderReading

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Jitter = Callable[[], float]

_FAVOURS: Final[tuple[Favour, ...]] = ("new", "old")
_RAISED: Final = "the destination raised an exception, see the log"


class Pace(Struct, frozen=True, kw_only=True):
    """How a worker works.

    A `lease` lasts at least four times the destination's timeout. Unless it is woken, a worker looks for due
    deliveries `soonest` after it found some, then after twice as long each time, up to `latest`. Deliveries
    of a destination without a worker are given up `strange_for` after they were seen first.
    """

    lease: timedelta = timedelta(seconds=60)
    soonest: timedelta = timedelta(milliseconds=200)
    latest: timedelta = timedelta(seconds=2)
    strange_for: timedelta = timedelta(minutes=10)


class DestinationWorker:
    """Sends the deliveries of one destination, in batches as large as it takes.

    A lease takes as many deliveries as are sent in half a second, and at least as many as can be sent at
    once. They wait in memory. Those that cannot be sent before their lease ends, or whose destination fails
    meanwhile, are given back.
    """

    def __init__(
        self,
        destination: Destination,
        store: Store,
        manner: Manner,
        *,
        clock: Clock,
        jitter: Jitter,
        pace: Pace,
        metrics: Metrics,
    ) -> None:
        self._destination = destination
        self._store = store
        self._manner = manner
        self._clock = clock
        self._jitter = jitter
        self._pace = replace(pace, lease=max(pace.lease, 4 * destination.timeout))
        self._seconds = metrics.delivery_seconds.labels(destination.name)
        words = ("done", "retry", "dead", "combined")
        self._counts = {word: metrics.deliveries.labels(destination.name, word) for word in words}
        self._prefetch = Prefetch(manner.concurrency * destination.batch.most)
        self._tallies = Tallies(destination.name)
        self._pacing = Pacing(manner.per_second, manner.starts_slowly)
        self._quota = Quota(store, destination, manner)
        # New deliveries and the longest due take turns at what cannot be halved.
        self._favours = cycle(_FAVOURS)
        self._order = Order(store, destination.name, manner, metrics)
        self._cuts = metrics.retry_after_cut.labels(destination.name)
        self._waiting: deque[tuple[datetime, list[Delivery]]] = deque()
        self._unsent = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._results: list[DeliveryResult] = []
        self._woken = asyncio.Event()
        self._pause: Pause | None = None
        self._failing = False
        self._logged_pause: tuple[int, str] | None = None
        self._away = False

    @property
    def _reading(self) -> HolderReading:
        """What the destination renders of the customers of its deliveries."""
        if not isinstance(self._destination, AboutCustomers):
            return "nothing"
        return "codes" if self._destination.with_codes else "customers"

    def wake(self) -> None:
        """Look for due deliveries at once."""
        self._woken.set()

    def render(self, delivery: Delivery) -> Rendered | None:
        """Return what is sent of a delivery: what was rendered before, unless by another type.

        None on an error. The store calls it in the transaction of a lease, in any thread.
        """
        if is_erasure(delivery):
            return Rendered(self._destination.type)
        before = delivery.rendered
        if before is not UNSET and before.by == self._destination.type:
            return before
        try:
            return Rendered(self._destination.type, self._destination.render(delivery))
        except Exception:
            log.exception("destination %s cannot render delivery %s", self._destination.name, delivery.id)
            return None

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until `stop` is set, then finish the attempts that have started."""
        idle = self._pace.soonest
        try:
            while not stop.is_set():
                found = await self._turn()
                idle = self._pace.soonest if found else min(idle * 2, self._pace.latest)
                await _wait(self._woken, idle.total_seconds())
            await self._finish()
        finally:
            for task in self._sending:
                task.cancel()

    async def _turn(self) -> int:
        """Record results and start what is due; while the store is unavailable, both are retried."""
        try:
            return await self._record() + await self._lease_some()
        except Unavailable as error:
            log.warning("the store is unavailable, deliveries to %s wait: %s", self._destination.name, error)
        except Exception:
            log.exception("a turn of the worker of destination %s failed", self._destination.name)
        return 0

    async def _lease_some(self, limit: int | None = None) -> int:
        """Lease what can be sent soon, and start to send it."""
        wanted = self._prefetch.size - self._unsent
        # One lease is one commit: it waits until half of what was leased before is sent.
        if self._pause is not None or wanted * 2 < self._prefetch.size:
            return 0
        limit = wanted if limit is None else min(limit, wanted)
        if self._away:  # one request finds out whether it is back
            if self._unsent:
                return 0
            limit = min(limit, self._destination.batch.most)
        await self._order.count(asyncio.get_running_loop().time())
        now, name = self._clock(), self._destination.name
        until = now + self._pace.lease
        leased = await self._store.lease(
            now,
            until,
            limit,
            name,
            self.render,
            order=self._order.wanted,
            reading=self._reading,
            pacing=self._pacing,
            favour=next(self._favours),
        )
        self._prefetch.leased(len(leased), asyncio.get_running_loop().time())
        old = await superseded(self._store, self._destination, leased)
        for delivery in leased:
            if delivery.id in old:
                self._counts["combined"].inc()
                self._results.append(left_out(delivery))
        self.begin([each for each in leased if each.id not in old] if old else leased, until)
        return len(leased)

    def begin(self, deliveries: Sequence[Delivery], until: datetime) -> None:
        """Start to send deliveries that are leased until a moment; a later turn records their results."""
        sendable = [each for each in deliveries if self._can_be_sent(each)]
        self._unsent += len(sendable)
        alone = [[each] for each in sendable if is_erasure(each)]
        others = [each for each in sendable if not is_erasure(each)] if alone else sendable
        batched = [*alone, *batches(others, self._destination.batch)]
        self._waiting.extend((until, batch) for batch in batched)
        for _ in range(min(len(self._waiting), self._manner.concurrency - len(self._sending))):
            task = asyncio.create_task(self._send_waiting())
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _can_be_sent(self, delivery: Delivery) -> bool:
        """Say whether a leased delivery can be sent; one that cannot is given up."""
        if delivery.not_after is not None and self._clock() >= delivery.not_after:
            self._conclude(given_up(delivery, "the discount expired before it could be sent"))
            return False
        if delivery.rendered is UNSET or delivery.rendered.by != self._destination.type:
            self._conclude(given_up(delivery, "its body cannot be rendered, see the log"))
            return False
        return True

    async def _send_waiting(self) -> None:
        """Send one waiting batch after the other."""
        while self._waiting:
            until, batch = self._waiting[0]
            if self._pause is not None or self._clock() + self._destination.timeout > until:
                self._give_back()
                return
            self._waiting.popleft()
            if not await self._allowed(batch):
                self._waiting.appendleft((until, batch))
                self._give_back()
                return
            await self._send(batch)

    async def _allowed(self, batch: Sequence[Delivery]) -> bool:
        """Count the calls of a batch; where its quota is used up, the destination pauses."""
        try:
            pause = await self._quota.refused(batch, self._clock())
        except Unavailable as error:
            log.warning("the store is unavailable, deliveries to %s wait: %s", self._destination.name, error)
            return False
        if pause is not None:
            self._pause_until(pause)
        return pause is None

    async def _send(self, batch: Sequence[Delivery]) -> None:
        attempts = await self._attempts(batch)
        now = self._clock()
        self._unsent -= len(batch)
        for delivery, attempt in zip(batch, attempts, strict=True):
            self._log_state_change(attempt)
            if attempt.cut:
                self._cuts.inc()
            concluded = result(delivery, attempt, now, self._jitter())
            self._conclude(noted(delivery, concluded, now, attempt))
        self._tallies.add(attempts)
        self._away = not any(attempt.ok or attempt.counted or attempt.final for attempt in attempts)
        self._pause_for(attempts, now)
        if self._tallies.failed_in_a_row >= self._manner.concurrency:
            self._prefetch.reset()
            self._give_back()
        elif self._unsent * 2 <= self._prefetch.size:
            self._woken.set()

    async def _attempts(self, batch: Sequence[Delivery]) -> Sequence[Attempt]:
        name = self._destination.name
        try:
            attempts: Sequence[Attempt]
            started = monotonic()
            if is_erasure(batch[0]):
                attempts = [await forward(self._destination, batch[0], self._clock())]
            else:
                attempts = await self._destination.send(batch, self._clock())
            self._seconds.observe(monotonic() - started)
            if len(attempts) == len(batch):
                return attempts
            log.error("destination %s returned %d attempts of %d", name, len(attempts), len(batch))
        except Exception:
            log.exception("destination %s failed on %s", name, ", ".join(each.id for each in batch))
        return [Attempt(ok=False, error=_RAISED)] * len(batch)

    def _give_back(self) -> None:
        """Give back what was leased and not sent."""
        while self._waiting:
            _, batch = self._waiting.popleft()
            self._unsent -= len(batch)
            self._results += [returned(delivery) for delivery in batch]

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._woken.set()

    async def _flush(self) -> int:
        while self._sending:
            await asyncio.wait(self._sending)
        return await self._record()

    async def _finish(self) -> None:
        self._give_back()
        try:
            await self._flush()
        except Unavailable as error:
            name = self._destination.name
            log.warning("the store is unavailable, deliveries to %s will be repeated: %s", name, error)

    async def _record(self) -> int:
        if pause := self._pause:
            await self._store.pause(pause)  # from now on the store leases nothing, to any process
            if self._pause is pause:
                self._pause = None
        if not self._results:
            return 0
        results, tally = tuple(self._results), self._tallies.tally(self._clock())
        recorded = await self._store.settle(results, tally)
        del self._results[: len(results)]
        self._tallies.recorded(tally)
        return recorded

    def _log_state_change(self, attempt: Attempt) -> None:
        """Log when deliveries begin to fail and when they succeed again; every failure would fill the log."""
        if attempt.ok is self._failing:
            self._failing = not attempt.ok
            if self._failing:
                log.warning("deliveries to %s fail: %s", self._destination.name, attempt.error)
            else:
                self._logged_pause = None
                log.warning("deliveries to %s succeed again", self._destination.name)

    def _pause_for(self, attempts: Sequence[Attempt], now: datetime) -> None:
        """Pause the whole destination when it asks for that: other deliveries need not use up attempts."""
        asked = pause_after(self._destination.name, attempts, now)
        if asked is not None:
            # What a 410 stops waits for an operator: nothing else says so.
            gone = any(attempt.gone for attempt in attempts)
            self._pause_until(asked, logging.ERROR if gone else logging.WARNING)

    def _pause_until(self, asked: Pause, level: int = logging.WARNING) -> None:
        if self._pause is not None and self._pause.until >= asked.until:
            return
        self._pause = asked
        pause = round((asked.until - asked.since).total_seconds()), asked.reason
        # A destination that is away for a day is tried thousands of times: equal pauses are logged once.
        repeated = pause == self._logged_pause and level == logging.WARNING
        log.log(
            logging.DEBUG if repeated else level,
            "deliveries to %s pause for %d s: %s",
            asked.destination,
            *pause,
        )
        self._logged_pause = pause

    def _conclude(self, result: DeliveryResult) -> None:
        word = "done" if result.done else "retry" if result.due_at else "dead"
        self._counts[word].inc()
        if word == "dead":
            log.warning("delivery %s to %s: dead, %s", result.id, self._destination.name, result.error)
        elif log.isEnabledFor(logging.DEBUG):
            log.debug("delivery %s to %s: %s, %s", result.id, self._destination.name, word, result.error)
        self._results.append(result)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long, and clear it."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
    event.clear()
