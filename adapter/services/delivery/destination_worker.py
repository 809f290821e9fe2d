"""A lane: one destination's share of the relay. It leases, sends side by side, and records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from adapter.destinations.contract import Attempt, Destination
from adapter.destinations.schedule import DELAYS, next_attempt
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, Pause
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Jitter = Callable[[], float]

#: The longest that one answer may silence a whole lane: 429 and the like, and 410.
QUIET: Final = timedelta(minutes=1)
GONE: Final = timedelta(hours=1)
_TOO_LATE = ", for the next would come after its discount's end"


class Pace(Struct, frozen=True, kw_only=True):
    """How a lane works.

    `width` sends go on side by side. A `lease` must outlast the destination's timeout. Unless it is woken, a
    lane looks for due deliveries `soonest` after it found some, and ever later, up to `latest`.
    """

    width: int = 8
    lease: timedelta = timedelta(seconds=60)
    soonest: timedelta = timedelta(milliseconds=200)
    latest: timedelta = timedelta(seconds=2)

    @classmethod
    def outlasting(cls, timeout: timedelta) -> Pace:
        """Return the pace for destinations whose slowest attempt takes `timeout`."""
        return cls(lease=max(timedelta(seconds=60), 4 * timeout))


class DestinationWorker:
    """The way to one destination. `leasing` is held while a lease is taken, so that the width is kept."""

    def __init__(
        self,
        destination: Destination,
        store: Store,
        *,
        clock: Clock,
        jitter: Jitter,
        pace: Pace,
        metrics: Metrics,
        leasing: asyncio.Lock,
    ) -> None:
        self._destination = destination
        self._store = store
        self._clock = clock
        self._jitter = jitter
        self._pace = pace
        self._metrics = metrics
        self._leasing = leasing
        self._sending: set[asyncio.Task[None]] = set()
        self._outcomes: list[DeliveryResult] = []
        self._stirred = asyncio.Event()
        self._pause: Pause | None = None
        self._failing = False

    @property
    def room(self) -> int:
        """How many more may be sent now."""
        if self._pause is not None:
            return 0
        return self._pace.width - len(self._sending)

    def wake(self) -> None:
        """Look again at once."""
        self._stirred.set()

    def begin(self, delivery: Delivery) -> None:
        """Start to send a leased delivery; a later turn records its outcome."""
        task = asyncio.create_task(self._send(delivery))
        self._sending.add(task)
        task.add_done_callback(self._sent)

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until `stop` is set, then finish what was begun."""
        idle = self._pace.soonest
        try:
            while not stop.is_set():
                found = await self._turn()
                idle = self._pace.soonest if found else min(idle * 2, self._pace.latest)
                await _stirred(self._stirred, idle.total_seconds())
            await self._finish()
        finally:
            for task in self._sending:
                task.cancel()

    async def _turn(self) -> int:
        """Record what is over and begin what is due; a store that is away only costs time."""
        try:
            recorded = await self._record()
            # Half a lane at a time: one lease, which is a commit, for several deliveries.
            half = self.room * 2 >= self._pace.width
            return recorded + (await self._lease(self._pace.width) if half else 0)
        except Unavailable as error:
            log.warning("the store is away, deliveries to %s wait: %s", self._destination.name, error)
        except Exception:
            log.exception("a turn of the lane to %s failed", self._destination.name)
        return 0

    async def _lease(self, limit: int) -> int:
        async with self._leasing:
            limit = min(limit, self.room)
            if limit <= 0:
                return 0
            now = self._clock()
            leased = await self._store.lease(now, now + self._pace.lease, limit, self._destination.name)
            for delivery in leased:
                self.begin(delivery)
        return len(leased)

    async def _flush(self) -> int:
        while self._sending:
            await asyncio.wait(self._sending)
        return await self._record()

    async def _finish(self) -> None:
        try:
            await self._flush()
        except Unavailable as error:
            name = self._destination.name
            log.warning("the store is away, what was just sent to %s will be repeated: %s", name, error)

    async def _record(self) -> int:
        if pause := self._pause:
            await self._store.pause(pause)  # from now on the store leases nothing, whichever process asks
            if self._pause is pause:
                self._pause = None
        if not self._outcomes:
            return 0
        outcomes = tuple(self._outcomes)
        recorded = await self._store.settle(outcomes)
        del self._outcomes[: len(outcomes)]
        return recorded

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._stirred.set()

    async def _send(self, delivery: Delivery) -> None:
        now = self._clock()
        if delivery.not_after is not None and now >= delivery.not_after:
            self._conclude(_dead(delivery, "what it tells had expired before it could be sent"))
            return
        attempt = await self._tried(delivery, now)
        self._notice(attempt)
        self._quieten(attempt)
        self._conclude(self._outcome(delivery, attempt))

    async def _tried(self, delivery: Delivery, now: datetime) -> Attempt:
        name = self._destination.name
        try:
            with self._metrics.delivery_seconds.labels(name).time():
                return await self._destination.send(delivery, now)
        except Exception:
            log.exception("destination %s failed on delivery %s", name, delivery.id)
            return Attempt(ok=False, error="the destination failed inside, as the log tells")

    def _notice(self, attempt: Attempt) -> None:
        """Say when the endpoint begins to fail and when it recovers: every failure would fill the log."""
        if attempt.ok is self._failing:
            self._failing = not attempt.ok
            if self._failing:
                log.warning("deliveries to %s fail: %s", self._destination.name, attempt.error)
            else:
                log.warning("deliveries to %s are taken again", self._destination.name)

    def _quieten(self, attempt: Attempt) -> None:
        """Leave the whole endpoint alone when it asks for it: the others need not use up attempts."""
        pause = GONE if attempt.gone else min(attempt.retry_after or timedelta(0), QUIET)
        if pause:
            now, name = self._clock(), self._destination.name
            asked = Pause(name, now, now + pause, attempt.error or "it asked for a pause")
            if self._pause is None or self._pause.until < asked.until:
                self._pause = asked
            log.warning("deliveries to %s pause for %d s: %s", name, pause.total_seconds(), attempt.error)

    def _outcome(self, delivery: Delivery, attempt: Attempt) -> DeliveryResult:
        if attempt.ok:
            return DeliveryResult(id=delivery.id, attempt=delivery.attempt, done=True)
        if attempt.gone:
            return _dead(delivery, f"{attempt.error}: the endpoint wants nothing more")
        due_at = next_attempt(
            delivery.tries,
            self._clock(),
            retry_after=attempt.retry_after,
            not_after=delivery.not_after,
            jitter=self._jitter(),
        )
        if due_at is None:
            why = "" if delivery.tries >= len(DELAYS) else _TOO_LATE
            return _dead(delivery, f"{attempt.error}; given up after attempt {delivery.tries}{why}")
        return DeliveryResult(
            id=delivery.id, attempt=delivery.attempt, done=False, due_at=due_at, error=attempt.error
        )

    def _conclude(self, outcome: DeliveryResult) -> None:
        name = self._destination.name
        word = "done" if outcome.done else "retry" if outcome.due_at else "dead"
        self._metrics.deliveries.labels(name, word).inc()
        level = logging.WARNING if word == "dead" else logging.DEBUG
        log.log(level, "delivery %s to %s: %s, %s", outcome.id, name, word, outcome.error)
        self._outcomes.append(outcome)


def _dead(delivery: Delivery, error: str) -> DeliveryResult:
    return DeliveryResult(id=delivery.id, attempt=delivery.attempt, done=False, error=error)


async def _stirred(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long, and make it ready for the next time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
    event.clear()
