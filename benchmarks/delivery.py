"""Deliveries per second of one relay to a receiver on loopback, beside what plain HTTP clients send.

Each round sends as many deliveries by the relay (signed, leased and recorded in a SQLite store, commits
included), by plain aiohttp and by plain httpx, all with the same number of concurrent requests. With
`--slow`, a destination that answers after 5 s has a backlog, and the latency of a fast one beside it is
compared with the latency of the fast one alone.

    .venv/bin/python -m benchmarks.delivery                   five rounds
    .venv/bin/python -m benchmarks.delivery --slow            five pairs
    .venv/bin/python -m benchmarks.delivery --rounds 1 --deliveries 2000

Aims: 0.7 of the best plain client, and a p99 of the fast destination of at most 1.5 of alone. The last line
is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp
import httpx
import uvloop
from msgspec import Raw

from adapter.destinations.registry import ConfiguredDestinations, configured
from adapter.metrics import Metrics
from adapter.model.breakers import Tally
from adapter.model.deliveries import Delivery
from adapter.services.delivery.dispatcher import Dispatcher
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, DeliveryResult, LoadRequest

CONCURRENCY = 32
SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = json.dumps(
    {
        "type": "discount.issued",
        "timestamp": "2026-11-21T12:00:00Z",
        "data": {"code": "HV15-7Q2M9X", "metadata": {"note": "x" * 400}, "status": "issued"},
    }
).encode()
#: Of the slow destination: its backlog; and how many deliveries a second the fast one gets, for how long.
BACKLOG, PER_SECOND, SECONDS = 500, 100, 4


class Sink:
    """A receiver in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.url = f"http://127.0.0.1:{port}/hook"

    def arrivals(self) -> dict[str, float]:
        """End the process and return when which delivery came."""
        found: dict[str, float] = json.loads(self._process.communicate("")[0])
        return found


@contextmanager
def sink(delay: float = 0) -> Iterator[Sink]:
    command = [sys.executable, "-m", "benchmarks.delivery_sink", str(delay)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Sink(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


def delivery(number: int, destination: str, at: datetime) -> Delivery:
    id_ = f"msg_{destination}_{number}"
    return Delivery(id_, destination, f"c{number}", "discount.issued", Raw(BODY), at, at)


async def put(store: Store, deliveries: list[Delivery]) -> None:
    now = datetime.now(UTC)

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), now)
        await transaction.reserve([], [])
        await transaction.save(Changes(now, {}, [], {}, [], [], [], [], {}, [], deliveries, []))

    await store.transact(script)


def destinations(**urls: str) -> ConfiguredDestinations:
    named = {
        name: Webhook(url=url, secrets=(SECRET,), allow_private_addresses=True, concurrency=CONCURRENCY)
        for name, url in urls.items()
    }
    return configured(Destinations(named=named))


class Relay:
    """A dispatcher over a store in a new folder; `async with` runs it."""

    def __init__(self, **urls: str) -> None:
        self._destinations = destinations(**urls)
        self._stack = AsyncExitStack()
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        self.store = open_store(f"sqlite:///{Path(folder) / 'adapter.db'}")
        await self.store.open()
        self._stack.push_async_callback(self.store.close)
        for client in self._destinations.clients:
            await self._stack.enter_async_context(client)
        by_name, manners = self._destinations.by_name, self._destinations.manners
        self.dispatcher = Dispatcher(
            self.store, by_name, lambda: datetime.now(UTC), lambda: 0.5, Metrics(), manners=manners
        )
        return self

    def start(self) -> None:
        self._running = asyncio.create_task(self.dispatcher.run(self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._stack.aclose()

    def count_to(self, count: int) -> asyncio.Event:
        """Return an event that is set once so many results are committed."""
        settle, done = self.store.settle, asyncio.Event()
        left = count

        async def counted(results: Sequence[DeliveryResult], tally: Tally | None = None) -> int:
            nonlocal left
            recorded = await settle(results, tally)
            left -= recorded
            if left <= 0:
                done.set()
            return recorded

        self.store.settle = counted  # type: ignore[assignment, method-assign]
        return done


async def relayed(url: str, count: int) -> float:
    """Return the deliveries per second of the relay, from its start until the last result is committed."""
    async with Relay(shop=url) as relay:
        now = datetime.now(UTC)
        await put(relay.store, [delivery(number, "shop", now) for number in range(count)])
        done = relay.count_to(count)
        started = time.perf_counter()
        relay.start()
        await done.wait()
        return count / (time.perf_counter() - started)


async def with_aiohttp(url: str, count: int) -> float:
    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> None:
            async with session.post(url, data=BODY, headers={"content-type": "application/json"}) as answer:
                await answer.read()

        return await _rate(send, count)


async def with_httpx(url: str, count: int) -> float:
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def send() -> None:
            await client.post(url, content=BODY, headers={"content-type": "application/json"})

        return await _rate(send, count // 8)


async def _rate(send: object, count: int) -> float:
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await send()  # type: ignore[operator]

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    return count / (time.perf_counter() - started)


def throughput(rounds: int, count: int) -> dict[str, float]:
    runs = {"relay": relayed, "aiohttp": with_aiohttp, "httpx": with_httpx}
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            with sink() as receiver:
                found[name].append(uvloop.run(run(receiver.url, count)))
    best = [max(pair) for pair in zip(found["aiohttp"], found["httpx"], strict=True)]
    ratios = [relay / other for relay, other in zip(found["relay"], best, strict=True)]
    medians = {name: round(statistics.median(each)) for name, each in found.items()}
    return {
        "deliveries_per_s": medians["relay"],
        "aiohttp_per_s": medians["aiohttp"],
        "httpx_per_s": medians["httpx"],
        "ratio_best_client": round(statistics.median(ratios), 3),
    }


async def latencies(fast: str, slow: str | None) -> dict[str, float]:
    """Return when each delivery to the fast destination was committed, by id."""
    urls = {"fast": fast} if slow is None else {"fast": fast, "slow": slow}
    async with Relay(**urls) as relay:
        if slow is not None:
            now = datetime.now(UTC)
            await put(relay.store, [delivery(number, "slow", now) for number in range(BACKLOG)])
        relay.start()
        await asyncio.sleep(0.5)
        committed: dict[str, float] = {}
        for number in range(PER_SECOND * SECONDS):
            each = delivery(number, "fast", datetime.now(UTC))
            await put(relay.store, [each])
            relay.dispatcher.wake()
            committed[each.id] = time.monotonic()
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.sleep(0.5)
        return committed


def p99(slow: bool) -> float:
    with sink() as fast, sink(5) as late:
        committed = uvloop.run(latencies(fast.url, late.url if slow else None))
        arrivals = fast.arrivals()
    waits = sorted(arrivals[id_] - at for id_, at in committed.items())
    return waits[len(waits) * 99 // 100]


def slow_beside_fast(pairs: int) -> dict[str, float]:
    found = [(p99(slow=False), p99(slow=True)) for _ in range(pairs)]
    return {
        "fast_p99_alone_ms": round(1000 * statistics.median(alone for alone, _ in found), 2),
        "fast_p99_beside_slow_ms": round(1000 * statistics.median(beside for _, beside in found), 2),
        "fast_p99_over_alone": round(statistics.median(beside / alone for alone, beside in found), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--slow", action="store_true", help="a slow destination beside a fast one")
    given = parser.parse_args()
    # As the server has it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    sys.setswitchinterval(0.0001)
    figures = slow_beside_fast(given.rounds) if given.slow else throughput(given.rounds, given.deliveries)
    for name, figure in figures.items():
        print(f"{name:32} {figure:12,.3f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
