"""The worker of one destination: leases due deliveries, sends them concurrently, records the results."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from adapter.destinations.contract import Attempt, Destination, Manner
from adapter.destinations.schedule import DELAYS, next_attempt
from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery, Past, PastAttempt, Pause, Rendered
from adapter.services.delivery.batches import batches
from adapter.store.contract import Store
from adapter.store.values import DeliveryResult

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Jitter = Callable[[], float]

#: The longest pause of a destination after one response: 429 and the like, and 410.
QUIET: Final = timedelta(minutes=1)
GONE: Final = timedelta(hours=1)
_RAISED = "the destination raised an exception, see the log"
_TOO_LATE = ", because the next attempt would be after the discount expires"


class Pace(Struct, frozen=True, kw_only=True):
    """How a worker works.

    A `lease` lasts at least four times the destination's timeout.
    Unless it is woken, a worker looks for due deliveries `soonest` after it found some, then after twice as
    long each time, up to `latest`.
    """

    lease: timedelta = timedelta(seconds=60)
    soonest: timedelta = timedelta(milliseconds=200)
    latest: timedelta = timedelta(seconds=2)


class DestinationWorker:
    """Sends the deliveries of one destination, in batches as large as it takes.

    `leasing` is held during a lease, so that no more is leased than can be sent.
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
        leasing: asyncio.Lock,
    ) -> None:
        self._destination = destination
        self._store = store
        self._manner = manner
        self._clock = clock
        self._jitter = jitter
        self._pace = replace(pace, lease=max(pace.lease, 4 * destination.timeout))
        self._metrics = metrics
        self._leasing = leasing
        self._sending: set[asyncio.Task[None]] = set()
        self._results: list[DeliveryResult] = []
        self._woken = asyncio.Event()
        self._pause: Pause | None = None
        self._failing = False

    @property
    def free(self) -> int:
        """How many more requests may start now."""
        if self._pause is not None:
            return 0
        return self._manner.concurrency - len(self._sending)

    @property
    def lease(self) -> timedelta:
        """How long a lease of a delivery for this destination lasts."""
        return self._pace.lease

    def wake(self) -> None:
        """Look for due deliveries at once."""
        self._woken.set()

    def render(self, delivery: Delivery) -> Rendered | None:
        """Return what is sent of a delivery: what was rendered before, unless by another type.

        None on an error. The store calls it in the transaction of a lease, in any thread.
        """
        before = delivery.rendered
        if before is not UNSET and before.by == self._destination.type:
            return before
        try:
            return Rendered(self._destination.type, self._destination.render(delivery))
        except Exception:
            log.exception("destination %s cannot render delivery %s", self._destination.name, delivery.id)
            return None

    def begin(self, deliveries: Sequence[Delivery]) -> None:
        """Start to send leased deliveries; a later turn records their results."""
        for batch in batches([each for each in deliveries if self._can_be_sent(each)], self._destination.batch):
            task = asyncio.create_task(self._send(batch))
            self._sending.add(task)
            task.add_done_callback(self._sent)

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
            recorded = await self._record()
            # One lease is one commit: it waits until half of the requests may start.
            half = self.free * 2 >= self._manner.concurrency
            return recorded + (await self._lease_some() if half else 0)
        except Unavailable as error:
            log.warning("the store is unavailable, deliveries to %s wait: %s", self._destination.name, error)
        except Exception:
            log.exception("a turn of the worker of destination %s failed", self._destination.name)
        return 0

    async def _lease_some(self, limit: int | None = None) -> int:
        async with self._leasing:
            most = self.free * self._destination.batch.most
            limit = most if limit is None else min(limit, most)
            if limit <= 0:
                return 0
            now, name = self._clock(), self._destination.name
            leased = await self._store.lease(now, now + self.lease, limit, name, self.render)
            self.begin(leased)
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
            log.warning("the store is unavailable, deliveries to %s will be repeated: %s", name, error)

    async def _record(self) -> int:
        if pause := self._pause:
            await self._store.pause(pause)  # from now on the store leases nothing, to any process
            if self._pause is pause:
                self._pause = None
        if not self._results:
            return 0
        results = tuple(self._results)
        recorded = await self._store.settle(results)
        del self._results[: len(results)]
        return recorded

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._woken.set()

    def _is_rendered(self, delivery: Delivery) -> bool:
        return delivery.rendered is not UNSET and delivery.rendered.by == self._destination.type

    def _can_be_sent(self, delivery: Delivery) -> bool:
        """Say whether a leased delivery can be sent; one that cannot is given up."""
        if delivery.not_after is not None and self._clock() >= delivery.not_after:
            self._conclude(_dead(delivery, "the discount expired before it could be sent"))
            return False
        if not self._is_rendered(delivery):
            self._conclude(_dead(delivery, "its body cannot be rendered, see the log"))
            return False
        return True

    async def _send(self, batch: Sequence[Delivery]) -> None:
        for delivery, attempt in zip(batch, await self._attempts(batch), strict=True):
            self._log_state_change(attempt)
            self._pause_for(attempt)
            result = self._result(delivery, attempt)
            self._conclude(replace(result, past=_past(delivery, attempt, self._clock())))

    async def _attempts(self, batch: Sequence[Delivery]) -> Sequence[Attempt]:
        name = self._destination.name
        try:
            with self._metrics.delivery_seconds.labels(name).time():
                attempts = await self._destination.send(batch, self._clock())
            if len(attempts) == len(batch):
                return attempts
            log.error("destination %s returned %d attempts of %d", name, len(attempts), len(batch))
        except Exception:
            log.exception("destination %s failed on %s", name, ", ".join(each.id for each in batch))
        return [Attempt(ok=False, error=_RAISED)] * len(batch)

    def _log_state_change(self, attempt: Attempt) -> None:
        """Log when deliveries begin to fail and when they succeed again; every failure would fill the log."""
        if attempt.ok is self._failing:
            self._failing = not attempt.ok
            if self._failing:
                log.warning("deliveries to %s fail: %s", self._destination.name, attempt.error)
            else:
                log.warning("deliveries to %s succeed again", self._destination.name)

    def _pause_for(self, attempt: Attempt) -> None:
        """Pause the whole destination when it asks for that: other deliveries need not use up attempts."""
        pause = GONE if attempt.gone else min(attempt.retry_after or timedelta(0), QUIET)
        if pause:
            now, name = self._clock(), self._destination.name
            asked = Pause(name, now, now + pause, attempt.error or "it asked for a pause")
            if self._pause is None or self._pause.until < asked.until:
                self._pause = asked
            log.warning("deliveries to %s pause for %d s: %s", name, pause.total_seconds(), attempt.error)

    def _result(self, delivery: Delivery, attempt: Attempt) -> DeliveryResult:
        if attempt.ok:
            return DeliveryResult(id=delivery.id, attempt=delivery.attempt, done=True)
        if attempt.gone:
            return _dead(delivery, f"{attempt.error}: the endpoint takes no more deliveries")
        if attempt.final:
            return _dead(delivery, f"{attempt.error}; sending it again would not help")
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

    def _conclude(self, result: DeliveryResult) -> None:
        name = self._destination.name
        word = "done" if result.done else "retry" if result.due_at else "dead"
        self._metrics.deliveries.labels(name, word).inc()
        level = logging.WARNING if word == "dead" else logging.DEBUG
        log.log(level, "delivery %s to %s: %s, %s", result.id, name, word, result.error)
        self._results.append(result)


def _past(delivery: Delivery, attempt: Attempt, at: datetime) -> Past:
    answer = attempt.answer.decode(errors="replace")
    made = PastAttempt(at, delivery.attempt, attempt.status, attempt.error, answer)
    return delivery.past.followed_by(made, counted=attempt.ok or attempt.counted)


def _dead(delivery: Delivery, error: str) -> DeliveryResult:
    return DeliveryResult(id=delivery.id, attempt=delivery.attempt, done=False, error=error)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long, and clear it."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
    event.clear()
