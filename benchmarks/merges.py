"""A mass of customers is imported and merged, under rules of every trigger: nothing is fired or started.

    python -m benchmarks.merges                       1,000,000 customers, 500,000 merges
    python -m benchmarks.merges --customers 20000 --minutes 1

Customers are imported in pairs, of which one has what rules wait for: a tier, a segment, a birthday. Some of
both sides have a discount and an absence that wait. Then each pair is merged by live messages, many in a
transaction, until the minutes are over. The last line is JSON: `merges` and `merges_per_s`, `changed` (in how
many of the first pairs the customer who stays has another tier than before), and by the import and by the
merges each, how many discounts, deliveries, decisions and timers there are more. A merge that joins two waits
leaves one, so timers may become fewer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapter.metrics import Metrics
from adapter.model.events import Event, User
from adapter.model.operations import CustomerMerge, EventOccurred
from adapter.services.background.schedules import SchedulePacing
from adapter.services.ingest.work_item import Work
from benchmarks.bulk import imported
from benchmarks.triggers import World, counted, runner, until_idle, world

RULES = """
rules:
  - name: upgrade
    trigger: {trait: tier, from: silver, to: gold}
    action: {type: store_credit, value: 5, currency: EUR}
  - name: entered
    trigger: {segment: gold, entered: true}
    action: {type: store_credit, value: 5, currency: EUR}
  - name: monthly
    trigger: {every: "first day of month 09:00", for: gold}
    action: {type: store_credit, value: 5, currency: EUR}
  - name: birthday
    trigger: {on: user.birthdate, at: "09:00"}
    action: {type: store_credit, value: 5, currency: EUR}
  - name: welcome
    trigger: signed_up
    action: {type: percentage_off, value: 10, max_amount: 20, currency: EUR, expires_in_hours: 240}
    guardrails: {stackable: true}
  - name: unused
    trigger: {discount: issued, unused_for: 5d}
    action: {type: store_credit, value: 5, currency: EUR}
  - name: again
    trigger: {event: order_completed, unless: order_completed, within: 28d, per: skus}
    action: {type: store_credit, value: 5, currency: EUR}
"""
#: Merges of one transaction.
BATCH = 50
#: Of so many of the first customers each has a discount and a wait.
ACTIVE = 1_000


def customers(count: int) -> Iterator[str]:
    """Yield the lines of a file of customers: of each pair the second is gold, and the newer one."""
    yield "source_id,name,email,birthdate,metadata.tier,updated_at\n"
    for n in range(count):
        tier, month = ("gold", "02") if n % 2 else ("silver", "01")
        birth = f"1980-03-{n % 28 + 1:02}"
        yield f"c-{n},Customer {n},c{n}@example.com,{birth},{tier},2026-{month}-01T00:00:00Z\n"


async def active(of: World, count: int) -> None:
    """Let the first customers sign up and buy, live."""
    for n in range(count):
        at, who = of.clock(), f"c-{n}"
        bought = {"skus": ["a", f"s-{n}"]}
        events = (
            Event(f"signed-{n}", "signed_up", at, User(id=who), {}, {}),
            Event(f"bought-{n}", "order_completed", at, User(id=who), bought, {}),
        )
        works = [Work("segment", each.id, each.id, at, (EventOccurred(who, each),)) for each in events]
        await of.transactions.settle(works)


async def merged(of: World, count: int, seconds: float) -> tuple[int, float]:
    """Merge the pairs of so many customers, live, for so long at most: how many merges, and the seconds."""
    began, done = time.perf_counter(), 0
    for first in range(0, count - 1, 2 * BATCH):
        works = [
            Work("segment", f"merge-{n}", f"merge-{n}", of.clock(), (CustomerMerge(f"c-{n}", f"c-{n + 1}"),))
            for n in range(first, min(first + 2 * BATCH, count - 1), 2)
        ]
        await of.transactions.settle(works)
        done += len(works)
        if time.perf_counter() - began > seconds:
            break
    return done, time.perf_counter() - began


async def fired(of: World) -> dict[str, int]:
    """Return how much there is of what rules make; schedules are looked at."""
    metrics = Metrics()
    await until_idle(runner(of, metrics, SchedulePacing(per_second=10**9, rest=timedelta(0))))
    store = of.made.app.store
    found = await store.counts()
    decided = {each.event_id for n in range(ACTIVE) for each in await store.decisions(f"c-{n}")}
    return {
        "discounts": found["discounts"], "deliveries": found["deliveries_due"], "timers": found["timers"],
        "decisions": len(decided), "scheduled": int(counted(metrics, "fired")),
    }  # fmt: skip


async def tiers(of: World, count: int) -> list[Any]:
    """Return the tiers of those of the first customers who stay."""
    found = [await of.made.app.store.customer(f"c-{n}") for n in range(0, min(count, ACTIVE), 2)]
    return [each and each.traits.get("tier") for each in found]


def _more(before: dict[str, int], after: dict[str, int], by: str) -> dict[str, int]:
    return {f"{name}_by_{by}": after[name] - before[name] for name in before}


async def measured(count: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Import, merge, and count."""
    of = world(folder, RULES)
    path = folder / "customers.csv"
    with path.open("w") as file:
        file.writelines(customers(count))
    async with of.made.app.working():
        empty = await fired(of)
        await imported(of.made, "customers", path)
        found: dict[str, Any] = {"customers": count, **_more(empty, await fired(of), "import")}
        await active(of, min(count, ACTIVE))
        before, stood = await fired(of), await tiers(of, count)
        merges, took = await merged(of, count, seconds)
        after = await tiers(of, min(count, 2 * merges))
        changed = sum(one != other for one, other in zip(stood, after, strict=False))
        found |= {"merges": merges, "merges_per_s": round(merges / took), "changed": changed}
        return found | _more(before, await fired(of), "merges")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Import and merge, and print the result as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=15, help="of merges, at most")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(given.customers, given.minutes * 60, Path(folder)))
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
