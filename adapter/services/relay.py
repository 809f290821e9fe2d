"""The relay: takes due deliveries out of the outbox, sends them, and records what came of it.

Each destination has a lane of its own, which leases only that destination's deliveries and only as many
as it can send at once: a slow endpoint fills its own lane and no other. A lease outlives every timeout, and
settling is fenced by the attempt's number, so that two relays never record the same attempt. A relay that
dies between the receiver's answer and the record sends again, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from adapter.destinations.contract import Attempt, Destination
from adapter.destinations.schedule import next_attempt
from adapter.errors import Unavailable
from adapter.model.deliveries import Delivery
from adapter.store.contract import Settlement, Store

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

#: Seconds between two looks for due deliveries: the shortest after work, doubling to the longest when idle.
SOONEST, LATEST = 0.2, 2.0
#: Seconds between two looks for deliveries whose destination is no longer configured.
STRAYS_EVERY: Final = 60.0
#: The longest that one answer may silence a whole lane: 429 and the like, and 410.
QUIET: Final = timedelta(minutes=1)
GONE: Final = timedelta(hours=1)


class Pace(Struct, frozen=True, kw_only=True):
    """How the relay works: sends side by side for one destination, and how long a lease lasts."""

    width: int = 8
    lease: timedelta = timedelta(seconds=60)


class Relay:
    """Sends what is due to `destinations`, by name.

    `clock` gives aware moments; `jitter` numbers from 0 to 1 that spread the retries. `lease` of the pace must
    be longer than any destination's timeout.
    """

    def __init__(
        self,
        store: Store,
        destinations: Mapping[str, Destination],
        clock: Clock,
        jitter: Callable[[], float],
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace or Pace()
        self._lanes = {
            name: Lane(name, destination, store, clock, jitter, self._pace)
            for name, destination in destinations.items()
        }

    def wake(self) -> None:
        """Look for due deliveries at once; call it from the relay's event loop, after a commit."""
        for lane in self._lanes.values():
            lane.wake()

    async def run_once(self, limit: int) -> int:
        """Send what is due now, up to `limit` for each destination; return how many attempts were recorded.

        Raises Unavailable when the store does. Not to be mixed with `run`.
        """
        strays = await self._bury_strays()
        counts = await asyncio.gather(*(lane.run_once(limit) for lane in self._lanes.values()))
        return strays + sum(counts)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then let what is being sent finish and record it."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                group.create_task(lane.run(stop))
            group.create_task(self._watch_strays(stop))
            await stop.wait()
            self.wake()

    async def _watch_strays(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._bury_strays()
            except Unavailable as error:
                log.warning("the store cannot be asked for deliveries: %s", error)
            except Exception:
                log.exception("the relay could not look for unknown destinations")
            await _wait(stop, STRAYS_EVERY)

    async def _bury_strays(self) -> int:
        """Give up deliveries whose destination is not configured; what else is found goes to its lane."""
        buried = 0
        while all(lane.room >= self._pace.width for lane in self._lanes.values()):
            now = self._clock()
            leased = await self._store.lease(now, now + self._pace.lease, self._pace.width)
            strays = [delivery for delivery in leased if delivery.destination not in self._lanes]
            for delivery in leased:
                if delivery.destination in self._lanes:
                    self._lanes[delivery.destination].begin(delivery)
            if not strays:
                break
            buried += await self._store.settle([_stray(delivery) for delivery in strays])
            log.warning("%d deliveries given up: no such destination is configured", len(strays))
        return buried


class Lane:
    """One destination's share of the relay."""

    def __init__(
        self,
        name: str,
        destination: Destination,
        store: Store,
        clock: Clock,
        jitter: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._name = name
        self._destination = destination
        self._store = store
        self._clock = clock
        self._jitter = jitter
        self._pace = pace
        self._sending: set[asyncio.Task[None]] = set()
        self._outcomes: list[Settlement] = []
        self._stirred = asyncio.Event()
        self._quiet_until: datetime | None = None

    @property
    def room(self) -> int:
        """How many more may be sent at once."""
        return self._pace.width - len(self._sending)

    def wake(self) -> None:
        """Look again at once."""
        self._stirred.set()

    def begin(self, delivery: Delivery) -> None:
        """Start to send a leased delivery; its outcome is recorded by the turn after."""
        task = asyncio.create_task(self._send(delivery))
        self._sending.add(task)
        task.add_done_callback(self._sent)

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until `stop` is set, then finish what was begun."""
        idle = SOONEST
        try:
            while not stop.is_set():
                idle = SOONEST if await self._turn() else min(idle * 2, LATEST)
                await _wait(self._stirred, idle)
                self._stirred.clear()
            await self._finish()
        finally:
            for task in self._sending:
                task.cancel()

    async def run_once(self, limit: int) -> int:
        """Send up to `limit` and record it; return how many were recorded."""
        recorded = await self._flush()
        while limit > 0:
            begun = await self._lease(min(limit, self.room))
            if not begun:
                break
            limit -= begun
            recorded += await self._flush()
        return recorded

    async def _turn(self) -> int:
        """Record what is over and begin what is due; a store that is away only costs time."""
        try:
            settled = await self._settle()
            # Half a lane at a time: one lease, which is a commit, for several deliveries.
            begun = await self._lease(self.room) if self.room * 2 >= self._pace.width else 0
        except Unavailable as error:
            log.warning("the store is away, deliveries to %s wait: %s", self._name, error)
            return 0
        except Exception:
            log.exception("a turn of the lane to %s failed", self._name)
            return 0
        return settled + begun

    async def _lease(self, limit: int) -> int:
        now = self._clock()
        if self._quiet_until is not None and now < self._quiet_until:
            return 0
        leased = await self._store.lease(now, now + self._pace.lease, limit, self._name)
        for delivery in leased:
            self.begin(delivery)
        return len(leased)

    async def _flush(self) -> int:
        while self._sending:
            await asyncio.wait(self._sending)
        return await self._settle()

    async def _finish(self) -> None:
        try:
            await self._flush()
        except Unavailable as error:
            log.warning(
                "the store is away, unrecorded deliveries to %s will be repeated: %s", self._name, error
            )

    async def _settle(self) -> int:
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
            self._outcomes.append(_over(delivery, "not sent in time: what it tells has expired"))
            return
        try:
            attempt = await self._destination.send(delivery, now)
        except Exception:
            log.exception("destination %s failed on delivery %s", self._name, delivery.id)
            attempt = Attempt(ok=False, error="the destination failed: see the log")
        self._quieten(attempt)
        self._outcomes.append(self._outcome(delivery, attempt))

    def _quieten(self, attempt: Attempt) -> None:
        """Leave the whole endpoint alone when it asks for it, without using up the others' attempts."""
        pause = GONE if attempt.gone else min(attempt.retry_after or timedelta(0), QUIET)
        if pause:
            until = self._clock() + pause
            self._quiet_until = max(self._quiet_until or until, until)
            log.warning(
                "deliveries to %s pause for %d s: %s", self._name, pause.total_seconds(), attempt.error
            )

    def _outcome(self, delivery: Delivery, attempt: Attempt) -> Settlement:
        if attempt.ok:
            return Settlement(id=delivery.id, attempt=delivery.attempt, done=True)
        if attempt.gone:
            return _over(delivery, f"{attempt.error}: the endpoint wants nothing more")
        due_at = next_attempt(
            delivery.attempt,
            self._clock(),
            retry_after=attempt.retry_after,
            not_after=delivery.not_after,
            jitter=self._jitter(),
        )
        if due_at is None:
            return _over(delivery, f"{attempt.error}; given up after {delivery.attempt} attempts")
        return Settlement(
            id=delivery.id, attempt=delivery.attempt, done=False, due_at=due_at, error=attempt.error
        )


def _over(delivery: Delivery, error: str) -> Settlement:
    log.warning("delivery %s to %s is dead: %s", delivery.id, delivery.destination, error)
    return Settlement(id=delivery.id, attempt=delivery.attempt, done=False, error=error)


def _stray(delivery: Delivery) -> Settlement:
    return Settlement(
        id=delivery.id,
        attempt=delivery.attempt,
        done=False,
        error=f"no destination `{delivery.destination}` is configured: name it in adapter.toml, then replay",
    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
