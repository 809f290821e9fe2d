"""What the pass that removes erased ids costs: rows a second, slices, and how long a message beside it waits.

python -m benchmarks.erased_ids [EVENTS] [DATABASE_URL]
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.services.privacy.redaction import Forgetting
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, Erasure, LoadRequest, NewEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ERASURES, EACH, BATCH = 100, 10, 100
PAGE = {"page": {"url": "https://shop.test/products/shoe?color=blue&size=42", "title": "A shoe"}}


def changes(**given: Any) -> Changes:
    return Changes(seen_at=NOW, **given)


async def write(store: Store, **given: Any) -> None:
    async def script(transaction: Transaction) -> None:
        names = [record.customer.source_id for record in given.get("customers", [])]
        await transaction.load(
            LoadRequest(customers=[*names, *(each.source_id for each in given.get("erased", []))]), NOW
        )
        await transaction.save(changes(**given))

    await store.transact(script)


def event(who: str, number: int) -> Event:
    cart = {
        "cart_value": number % 300,
        "currency": "EUR",
        "items": [{"sku": f"SKU-{number % 997:05}", "n": 1}],
    }
    if number % 1_000 == 0:
        cart["referrer"] = f"erased-{number // 1_000 % ERASURES:06}"
    return Event(f"e{number}", "seen", NOW + timedelta(seconds=number), User(who), cart, PAGE)


async def fill(store: Store, events: int) -> None:
    owners = [f"customer-{number:07}" for number in range(events // EACH)]
    for start in range(0, len(owners), BATCH):
        some = owners[start : start + BATCH]
        new = [
            NewEvent(who, "segment", event(who, (start + at) * EACH + n), n)
            for at, who in enumerate(some)
            for n in range(EACH)
        ]
        await write(store, customers=[CustomerRecord(Customer(who), b"") for who in some], events=new)
    gone = [f"erased-{number:06}" for number in range(ERASURES)]
    await write(store, customers=[CustomerRecord(Customer(who), b"") for who in gone])
    await write(store, erased=[Erasure(who) for who in gone])


async def beside(store: Store, stop: asyncio.Event) -> list[float]:
    """Write an event at a time, and return how long each took, in milliseconds."""
    took: list[float] = []
    while not stop.is_set():
        begun, number = time.perf_counter(), 10**9 + len(took)
        await write(
            store, events=[NewEvent("customer-0000000", "segment", event("customer-0000000", number), 0)]
        )
        took.append((time.perf_counter() - begun) * 1_000)
        await asyncio.sleep(0.005)
    return took


async def run(url: str, events: int) -> dict[str, Any]:
    store: Any = open_store(url)
    await store.open()
    await fill(store, events)
    alone, stop = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().call_later(2, alone.set)
    before = await beside(store, alone)
    scan, rows, slices = store.scan, [], []

    async def counted(spot: Any, looks: Any) -> Any:
        found = await scan(spot, looks)
        rows.append(found.rows)
        slices.append(spot)
        return found

    store.scan = counted
    writing = asyncio.create_task(beside(store, stop))
    begun = time.perf_counter()
    await Forgetting(store, lambda: NOW).finish()
    took = time.perf_counter() - begun
    stop.set()
    during = await writing
    await store.close()
    return {
        "events": events, "erasures": ERASURES, "seconds": round(took, 2), "rows": sum(rows),
        "rows_per_second": round(sum(rows) / took), "slices": len(slices), "most_rows": max(rows),
        "alone_p50_ms": round(statistics.median(before), 1),
        "beside_p50_ms": round(statistics.median(during), 1),
        "alone_p99_ms": round(statistics.quantiles(before, n=100)[-1], 1),
        "beside_p99_ms": round(statistics.quantiles(during, n=100)[-1], 1),
    }  # fmt: skip


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        where = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{Path(folder) / 'store.db'}"
        print(json.dumps(asyncio.run(run(where, count))))
