"""Schedules over many customers: memory, rows read for each firing, firings per second, and ingest beside.

    python -m benchmarks.triggers --customers 1000000 --rounds 5

Customers are imported, which must fire nothing; then a date index is built for a rule that is new. A birthday
measures firings without a bound per second. Then webhooks are measured alone and beside the first of a month
with the bound of the settings, alternately, in one process on SQLite. The last line is JSON;
`p99_beside_over_alone` is the median over the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from adapter import app
from adapter.interpreter import tune
from adapter.metrics import Metrics
from adapter.services.background.schedules import SchedulePacing, ScheduleRunner
from adapter.services.bulk import local
from adapter.services.bulk.importer import Importer
from adapter.services.bulk.slices import Slices
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.loaded_files import read_files
from adapter.settings.values import Files, Settings
from adapter.settings.values import Store as StoreSettings
from benchmarks.bulk import ROOT, Shop, imported, latencies

RULES = """
rules:
  - name: monthly
    trigger: {every: "first day of month 09:00", for: gold}
    action: {type: store_credit, value: 5, currency: EUR}
    guardrails: {stackable: true}
  - name: upgrade
    trigger: {trait: tier, to: gold}
    action: {type: store_credit, value: 5, currency: EUR}
"""
BIRTHDAY = """
name: birthday
trigger: {on: user.birthdate, at: "09:00"}
action: {type: percentage_off, value: 10, max_amount: 20, currency: EUR}
guardrails: {stackable: true}
"""
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
UNBOUNDED = SchedulePacing(per_second=10**9, rest=timedelta(0))


class Clock:
    """The moment of everything that is measured."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class World(Struct, frozen=True):
    """A store with its services, its clock, and the folder of its rules."""

    made: Shop
    transactions: Transactions
    clock: Clock
    rules: Path


def customers(count: int) -> Iterator[str]:
    """Yield the lines of a file of customers: one in a hundred is gold, and birthdays are spread evenly."""
    yield "source_id,name,email,birthdate,metadata.tier,metadata.points\n"
    for n in range(count):
        day = (datetime(1980, 1, 1, tzinfo=UTC) + timedelta(days=n % 7300)).date()
        yield f"c-{n},Customer {n},c{n}@example.com,{day},{'gold' if n % 100 == 0 else 'none'},{n % 1000}\n"


def world(folder: Path, text: str = RULES) -> World:
    """Return a new store, by default without a rule that reads dates."""
    rules = folder / "rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(text)
    (rules / "definitions.yaml").write_text("segments: {gold: 'user.tier == \"gold\"'}\n")
    clock = Clock()
    settings = Settings(
        files=Files(str(ROOT / "mappings"), str(rules)),
        store=StoreSettings(f"sqlite:///{folder / 'adapter.db'}"),
    )
    environment = Environment(clock=clock)
    composed = app.compose(settings, world=environment)
    slices = Slices(composed.store, composed.books, environment, composed.completer.complete)
    importer = Importer(composed.store, composed.books, slices, clock, local.worker_name())
    transactions = Transactions(
        composed.store, composed.books, environment, timers=TimerCapacity(composed.store, composed.metrics),
        health=CommitHealth(time.monotonic), metrics=composed.metrics,
    )  # fmt: skip
    return World(Shop(composed, importer), transactions, clock, rules)


def runner(of: World, metrics: Metrics, pacing: SchedulePacing) -> ScheduleRunner:
    """Return what fires the schedules of a world."""
    made = of.made.app
    return ScheduleRunner(
        made.store, made.books, of.transactions, of.clock, worker="benchmark", metrics=metrics,
        complete=made.completer.complete, pacing=pacing,
    )  # fmt: skip


def counted(metrics: Metrics, outcome: str) -> float:
    """Return how many customers schedules have read, or fired for."""
    found: float = metrics.schedule_customers.labels(outcome)._value.get()  # noqa: SLF001 - there is no other way to read it
    return found


async def until_idle(one: ScheduleRunner) -> float:
    """Do all that is due; returns the seconds."""
    began = time.perf_counter()
    while await one.turn() is not None:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)
    return time.perf_counter() - began


async def birthdays(of: World) -> dict[str, float]:
    """Add the rule of birthdays, build its index, and fire for one day without a bound."""
    made = of.made.app
    (of.rules / "birthday.yaml").write_text(BIRTHDAY)
    made.books.rules = read_files(made.settings).rules
    metrics = Metrics()
    one = runner(of, metrics, UNBOUNDED)
    indexing = await until_idle(one)
    of.clock.now = datetime(2026, 3, 11, 9, tzinfo=UTC)
    seconds = await until_idle(one)
    read, fired = counted(metrics, "read"), counted(metrics, "fired")
    return {
        "index_s": round(indexing, 1), "birthdays": fired, "firings_per_s": round(fired / seconds, 1),
        "rows_read_per_birthday": round(read / fired, 2),
    }  # fmt: skip


def next_month(of: World) -> None:
    """Set the clock to the first of the next month."""
    now = of.clock.now
    of.clock.now = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, 9, tzinfo=UTC)


async def pair(of: World, calls: int, number: int, pacing: SchedulePacing) -> float:
    """Return the p99 of webhooks beside a monthly schedule over that without one."""
    alone = await latencies(of.made, calls, f"alone{number}-")
    next_month(of)
    stop = asyncio.Event()
    one = runner(of, Metrics(), pacing)
    running = asyncio.create_task(one.run(stop))
    beside = await latencies(of.made, calls, f"beside{number}-")
    stop.set()
    await running
    return p99(beside) / p99(alone)


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(seconds)[len(seconds) * 99 // 100]


async def measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything once."""
    of = world(folder)
    path = folder / "customers.csv"
    with path.open("w") as file:
        file.writelines(customers(given.customers))
    async with of.made.app.working():
        await imported(of.made, "customers", path)
        fired = (await of.made.app.store.counts())["discounts"]
        found = {"customers": given.customers, "fired_by_import": fired, **await birthdays(of)}
        rest = timedelta(milliseconds=given.rest)
        pacing = SchedulePacing(page=given.page, firings=given.firings, rest=rest)
        ratios = [await pair(of, given.calls, number, pacing) for number in range(given.rounds)]
        print("p99 beside over alone:", ", ".join(f"{ratio:.2f}" for ratio in ratios))
        of.clock.now += timedelta(seconds=1)
        metrics = Metrics()
        seconds = await until_idle(runner(of, metrics, UNBOUNDED))
        read = counted(metrics, "read")
    rates = {"customers_read_per_s": round(read / seconds) if seconds else 0}
    return {**found, **rates, "p99_beside_over_alone": round(median(ratios), 2)}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, and print the result as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=1_000, help="webhooks alone and beside a schedule")
    parser.add_argument("--rounds", type=int, default=5)
    usual = SchedulePacing()
    parser.add_argument("--page", type=int, default=usual.page, help="customers of one read")
    parser.add_argument("--firings", type=int, default=usual.firings, help="firings of one transaction")
    parser.add_argument("--rest", type=float, default=usual.rest.total_seconds() * 1_000, help="ms between")
    given = parser.parse_args(arguments)
    tune()  # as a server: otherwise a thread keeps the interpreter for 5 ms while the other one waits
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(given, Path(folder)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    last = {**found, "peak_mb": round(peak)}
    print(json.dumps(last))
    return last


if __name__ == "__main__":
    main()
