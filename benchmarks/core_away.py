"""A remote core is away for a day at 50 messages a second, and comes back: case D44 at its full size.

The adapter's store, relay and limits are the real ones, in this process. Only the time is set by hand, so
that a day takes minutes, and a double stands for the core: it takes operations, and checks that each comes
once, in the order of its customer, and how many come in a second. Messages go on while the backlog is sent.

    .venv/bin/python -m benchmarks.core_away                      a tenth of a day: 432,000 messages
    .venv/bin/python -m benchmarks.core_away --seconds 21600      a quarter: 9 minutes on a busy machine
    .venv/bin/python -m benchmarks.core_away --seconds 86400      the whole day: 4,320,000 messages, 8 GB

With `TMPDIR=/dev/shm` the store is in memory, and commits do not wait for a disk.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop
from yarl import URL

from adapter.destinations.contract import Manner
from adapter.destinations.core import CoreDestination
from adapter.destinations.transport import Answer, CannotConnect
from adapter.metrics import Metrics
from adapter.model.deliveries import Recipients
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred
from adapter.services.core.answers import Answers, Waiting
from adapter.services.core.capacity import CoreCapacity
from adapter.services.core.forwarding import ForwardTransactions
from adapter.services.delivery.destination_worker import DestinationWorker, Pace
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.work_item import Work
from adapter.settings.destinations.core import Core
from adapter.store.engines import open_store

MESSAGES = 50
TICK = timedelta(milliseconds=200)
BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


class Double:
    """The core, and the way to it: it refuses connections until it is `back`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.back = False
        self.refused = 0
        self.requests = 0
        self.taken = 0
        self.wrong: list[str] = []
        self.in_second: defaultdict[int, int] = defaultdict(int)
        self._latest: defaultdict[str, int] = defaultdict(lambda: -1)

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - the interface
        read_bytes: int = 0,
        read_seconds: float = 0,
    ) -> Answer:
        del method, url, headers, timeout, read_bytes, read_seconds
        if not self.back:
            self.refused += 1
            raise CannotConnect("cannot connect: refused")
        operations = json.loads(body)["operations"]
        self.requests += 1
        self.in_second[int(self._clock.now.timestamp())] += len(operations)
        results = [self._decide(at, each) for at, each in enumerate(operations)]
        return Answer(200, {}, json.dumps({"results": results}).encode(), whole=True)

    def _decide(self, index: int, operation: dict[str, Any]) -> dict[str, Any]:
        customer, number = operation["source_id"], int(operation["id"].rpartition(":")[2])
        # The numbers of a customer rise: one that does not was sent twice, or in the wrong order.
        if number <= self._latest[customer]:
            self.wrong.append(f"{customer}: {number} after {self._latest[customer]}")
        self._latest[customer] = number
        self.taken += 1
        return {"index": index, "id": operation["id"], "outcome": "processed"}


class Stepped(DestinationWorker):
    """A relay that works when it is told to, instead of in a loop."""

    async def step(self) -> None:
        """Send what may be sent at this moment, and record it."""
        while await self._turn():
            await self._flush()
        await self._flush()


class Day:
    """An adapter, its senders and its core."""

    def __init__(self, url: str, per_second: int, customers: int) -> None:
        self.clock = Clock()
        self.core = Double(self.clock)
        self.store = open_store(url)
        self.sent = 0
        self._customers = customers
        settings = Core(url="http://127.0.0.1:9", allow_private_addresses=True, per_second=per_second)
        destination = CoreDestination("core", settings, self.core)
        metrics = Metrics()
        destination.take = Answers(
            self.store, Waiting(), Recipients(), clock=self.clock, wake=lambda: None, metrics=metrics
        ).take
        self.worker = Stepped(
            destination, self.store,
            Manner(
                ordered=True, order_limit=settings.order_bound, per_second=per_second, starts_slowly=True
            ),
            clock=self.clock, jitter=lambda: 0.5, pace=Pace(), metrics=metrics,
        )  # fmt: skip
        self._transactions = ForwardTransactions(
            self.store, Environment(clock=self.clock), "core", destination.timeout,
            health=CommitHealth(lambda: 0), wake=lambda: None,
        )  # fmt: skip
        self.capacity = CoreCapacity(self.store, 10_000_000)

    async def receive(self) -> None:
        """Take the messages of a second, as a sender's request."""
        now = self.clock.now
        works = []
        for number in range(self.sent, self.sent + MESSAGES):
            customer = f"c-{number * 7919 % self._customers}"
            event = Event(str(number), "checkout_started", now, User(customer), {"cart_value": 150}, {})
            works.append(
                Work("segment", str(number), str(number), now, (EventOccurred(customer, event),), document={})
            )
        await self._transactions.settle(works)
        self.sent += MESSAGES

    async def away(self, seconds: int) -> None:
        """The core is away for so long."""
        for second in range(seconds):
            await self.receive()
            if second % 15 == 0:
                await self.worker.step()
            self.clock.now += timedelta(seconds=1)

    async def back(self) -> timedelta:
        """The core is back; return how long it takes until all is sent."""
        begun = self.clock.now
        self.core.back = True
        while self.core.taken < self.sent:
            if not self.clock.now.microsecond:
                await self.receive()
            await self.worker.step()
            self.clock.now += TICK
        return self.clock.now - begun


async def play(folder: Path, seconds: int, per_second: int, customers: int) -> dict[str, float]:
    day = Day(f"sqlite:///{folder / 'adapter.db'}", per_second, customers)
    await day.store.open()
    started = time.perf_counter()
    await day.away(seconds)
    filled = time.perf_counter()
    await day.capacity.count()
    counted = time.perf_counter()
    took = await day.back()
    ended = time.perf_counter()
    left, dead = await day.store.deliveries("due", 1), await day.store.deliveries("dead", 1)
    await day.store.close()
    if day.core.wrong or left or dead:
        raise SystemExit(f"wrong: {day.core.wrong[:3]}, left: {left}, dead: {dead}")
    return {
        "messages": day.sent,
        "waiting_at_most": seconds * MESSAGES,
        "requests_while_away": day.core.refused,
        "requests_after": day.core.requests,
        "most_in_a_second": max(day.core.in_second.values()),
        "sent_after_s": took.total_seconds(),
        "received_per_s": round(seconds * MESSAGES / (filled - started)),
        "sent_per_s": round(day.sent / (ended - counted)),
        "count_of_the_outbox_s": round(counted - filled, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=8_640, help="how long the core is away")
    parser.add_argument("--per-second", type=int, default=500)
    parser.add_argument("--customers", type=int, default=50_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = play(Path(folder), given.seconds, given.per_second, given.customers)
        figures = uvloop.run(run)
        figures["store_gb"] = round(sum(each.stat().st_size for each in Path(folder).iterdir()) / 1e9, 2)
    for name, figure in figures.items():
        print(f"{name:24} {figure:14,.3f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
