"""What an open live list of events costs ingest: instructions a message, with and without a viewer.

    python -m benchmarks.live_list            by valgrind's callgrind; some minutes
    python -m benchmarks.live_list --rate 500 --filter "event:checkout_started"

Messages are ingested in requests of one, a batch of them at a time, and the list is read twice a second of a
simulated clock, as the feed does. A figure is the slope between two numbers of messages, so that what a
process needs to start is not in it. HTTP is left out on both sides. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from adapter.app import App, compose
from adapter.console.context import ConsoleContext
from adapter.console.live_events import rows_of
from adapter.console.visitor import Visitor
from adapter.services.arrivals.feed import Feed
from adapter.services.arrivals.filter_text import parsed
from adapter.services.arrivals.filters import NO_PEOPLE
from adapter.services.environment import Environment
from adapter.settings.values import Ingest as IngestSettings
from adapter.settings.values import Settings
from adapter.settings.values import Store as StoreSettings
from adapter.sources.registry import SOURCES

FEW, MANY = 100, 1_100
#: Requests at a time, which share a transaction.
TOGETHER = 50
TICKS = 2
CUSTOMERS = 500
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
COLLECTED = re.compile(r"Collected\s*:\s*(\d+)")


class Clock:
    """A clock that is set."""

    now = START

    def __call__(self) -> datetime:
        return self.now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=int, default=1_000, help="messages a second")
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--filter", default="")
    parser.add_argument("--run", type=int, help="ingest so many messages, and end")
    given = parser.parse_args()
    if given.run is not None:
        asyncio.run(run(given.run, given.rate, given.viewers, given.filter))
        return
    closed = slope([*common(given), "--viewers", "0"])
    opened = slope([*common(given), "--viewers", str(given.viewers)])
    more = 100 * (opened / closed - 1)
    print(
        f"{given.rate} messages a second, {given.viewers} watch: {closed:,.0f} -> {opened:,.0f} instructions"
    )
    print(json.dumps({"closed": round(closed), "open": round(opened), "more_percent": round(more, 2)}))


def common(given: argparse.Namespace) -> list[str]:
    return ["--rate", str(given.rate), "--filter", given.filter]


def slope(options: list[str]) -> float:
    """Return the instructions that each further message takes."""
    few, many = (counted([*options, "--run", str(count)]) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def counted(options: list[str]) -> int:
    command = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        sys.executable, "-m", "benchmarks.live_list", *options,
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = COLLECTED.search(ended.stderr)
    if found is None or ended.returncode:
        raise SystemExit(ended.stderr)
    return int(found[1])


async def run(count: int, rate: int, viewers: int, text: str) -> None:
    """Ingest messages, and show them to those who watch."""
    clock = Clock()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        settings = Settings(
            store=StoreSettings(url=f"sqlite:///{folder}/adapter.db"),
            ingest=IngestSettings(max_wait_seconds=3_600),  # all is slow under valgrind
        )
        app = compose(settings, world=Environment(clock=clock))
        feed = Feed(app.store)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.working())
            context = console_context(app, feed)
            wanted = parsed(text, START)
            watching = [
                await stack.enter_async_context(feed.watching(wanted, NO_PEOPLE, 0)) for _ in range(viewers)
            ]
            shown = [each.batches(timedelta(seconds=1)) for each in watching]
            due = 1 / TICKS  # the first read, which compiles templates, is in both numbers
            for start in range(0, count, TOGETHER):
                await ingest(app, clock, start, min(TOGETHER, count - start))
                due += TOGETHER / rate
                while watching and due >= 1 / TICKS:
                    due -= 1 / TICKS
                    await feed.read()
                    for each in shown:
                        batch = await anext(each)
                        if batch is not None:
                            rows_of(context, text, Visitor("ann", "read", ""), batch)


def console_context(app: App, feed: Feed) -> ConsoleContext:
    web = app.asgi._context  # type: ignore[attr-defined]  # noqa: SLF001 - as the tests have it
    return ConsoleContext(web, app.store, app.books, lambda: "", app.operations, app.authoring, feed)


async def ingest(app: App, clock: Clock, start: int, count: int) -> None:
    """Send messages at once, each in a request of its own."""
    clock.now += timedelta(seconds=1)
    decode = SOURCES["segment"].decode
    bodies = [body(number, clock.now) for number in range(start, start + count)]
    await asyncio.gather(*(app.ingest.receive(decode(each, clock.now), len(each)) for each in bodies))


def body(number: int, now: datetime) -> bytes:
    kind = ("Product Viewed", "Product Added", "Checkout Started", "Order Completed")[number % 4]
    properties = {
        "value": 20 + number % 200, "currency": "USD", "shipping_country": "US", "order_id": f"o{number}",
        "product_id": f"p{number % 40}", "name": "A thing for the house", "quantity": 1, "price": 19.5,
        "products": [{"product_id": "p1", "sku": "S-1", "price": 19.5, "quantity": 2, "name": "A thing"}],
    }  # fmt: skip
    message = {
        "type": "track", "event": kind, "messageId": f"m{number}", "userId": f"u-{number % CUSTOMERS}",
        "timestamp": now.isoformat(), "properties": properties,
        "context": {"ip": "203.0.113.7", "locale": "en-US", "page": {"url": "https://shop.example/p/1"}},
    }  # fmt: skip
    return json.dumps(message).encode()


if __name__ == "__main__":
    main()
