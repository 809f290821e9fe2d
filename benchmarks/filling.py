"""A grown store: customers with ten events each, by COPY into the schema that the adapter makes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

import asyncpg

from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.history.history import History
from adapter.store.engines import open_store
from adapter.store.timestamps import micros

#: Of each customer; the rest of the names is what load is made of (ingest.lua).
NAMES = ("product_viewed",) * 6 + ("product_added", "cart_viewed", "checkout_started", "order_completed")
EVENTS = len(NAMES)
#: Rows of one COPY.
_PIECE = 100_000
_WARM = """
SELECT pg_prewarm(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace
  AND (relkind = 'i' OR relkind = 'r' AND relname LIKE 'customers%')
"""
Columns = tuple[str, ...]
Rows = Callable[[int, int], Iterator[bytes]]


def fill(dsn: str, customers: int, rules: RuleSet) -> None:
    """Give a new database its schema and so many customers, called as ingest.lua calls them.

    Each message has its key in the store, as if all had come within the days for which keys are kept, and the
    server has in its memory what it would have by then: the customers and what finds rows, not the events.
    """
    started = time.perf_counter()
    size = asyncio.run(_fill(dsn, customers, rules))
    spent = time.perf_counter() - started
    kept = f"{customers:,} customers and {customers * EVENTS:,} events"
    print(f"filled with {kept}: {size / 1e9:.1f} GB in {spent:.0f} s", flush=True)


async def _fill(dsn: str, customers: int, rules: RuleSet) -> int:
    store = open_store(dsn)
    await store.open()
    await store.close()
    grown = _Grown(rules, datetime.now(UTC) - timedelta(days=20))
    connection = await asyncpg.connect(dsn)
    try:
        await _copy(
            connection, "messages", ("digest", "seen_at"), customers * EVENTS, grown.messages(customers)
        )
        await _copy(connection, "customers", ("source_id", "body", "history"), customers, grown.customers)
        columns = ("source_id", "occurred_at", "event_id", "body")
        await _copy(connection, "events", columns, customers, grown.events)
        await connection.execute("VACUUM (ANALYZE)", timeout=1800)
        await connection.execute("CREATE EXTENSION pg_prewarm")
        await connection.execute(_WARM, timeout=1800)
        await connection.execute("CHECKPOINT", timeout=1800)
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()


async def _copy(
    connection: asyncpg.Connection[asyncpg.Record], table: str, columns: Columns, count: int, rows: Rows
) -> None:
    async def pieces(first: int, end: int) -> AsyncIterator[bytes]:
        for at in range(first, end, 1_000):
            yield b"".join(rows(at, min(at + 1_000, end)))

    for first in range(0, count, _PIECE):
        source = pieces(first, min(first + _PIECE, count))
        await connection.copy_to_table(table, source=source, columns=columns, timeout=1800)


class _Grown:
    """Rows of customers numbered from `first` to `end`, as the text format of COPY has them."""

    def __init__(self, rules: RuleSet, since: datetime) -> None:
        self._moments = [since + timedelta(hours=7 * number) for number in range(EVENTS)]
        self._seen_at = micros(since)
        history = History()
        self._events: list[bytes] = []
        for number, (name, moment) in enumerate(zip(NAMES, self._moments, strict=True)):
            attributes = {
                "order_id": "O-0",
                "cart_value": 145.75,
                "currency": "USD",
                "shipping_country": "US",
            }
            event = Event(f"past-@ID@-{number}", name, moment, User(id="shopper-@ID@"), attributes, {})
            rules.fold(history, event)
            self._events.append(
                b"shopper-@ID@\t%d\tpast-@ID@-%d\t%s\n" % (micros(moment), number, _bytea(encode(event)))
            )
        body = encode(Customer("shopper-@ID@", email="shopper-@ID@@example.com", traits={"plan": "gold"}))
        self._customer = b"shopper-@ID@\t%s\t%s\n" % (_bytea(body), _bytea(history.encode()))

    def messages(self, customers: int) -> Rows:
        """Return rows of keys, spread evenly as digests are, but in their order."""
        step = 2**128 // (customers * EVENTS)

        def rows(first: int, end: int) -> Iterator[bytes]:
            for number in range(first, end):
                yield b"\\\\x%s\t%d\n" % ((number * step).to_bytes(16).hex().encode(), self._seen_at)

        return rows

    def customers(self, first: int, end: int) -> Iterator[bytes]:
        """Yield one row of each customer."""
        for number in range(first, end):
            yield _of(self._customer, number)

    def events(self, first: int, end: int) -> Iterator[bytes]:
        """Yield all rows of each customer."""
        for number in range(first, end):
            for event in self._events:
                yield _of(event, number)


def _of(row: bytes, number: int) -> bytes:
    """Return the row of one customer: ids stand in it as text, and as hexadecimal digits inside of bodies."""
    digits = b"%d" % number
    return row.replace(b"@ID@", digits).replace(_HEX, digits.hex().encode())


_HEX = b"@ID@".hex().encode()


def _bytea(value: bytes) -> bytes:
    return b"\\\\x" + value.hex().encode()
