"""A grown store of any engine: one customer's rows, made by the adapter itself, multiplied.

The rows are read and written as `adapter store copy` does it, so that each table and each index is as full as
it would be. In texts and bodies the customer's number, codes and ids become another customer's; digests
become others of the same length; times go evenly through 20 days. Of 200 deliveries one is given up. All
redemptions are of one code, as of one that everybody may use.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import zstandard
from msgspec import Struct

from adapter.app import App
from adapter.model.journal import JournalEntry, JournalOutcome, journal_row
from adapter.sources.registry import SOURCES
from adapter.store.tables.copy_sql import Row
from adapter.store.tables.description import Column, CustomerRows, Table
from adapter.store.tables.registry import COPIED

#: The number of the customer whose rows are multiplied, in ids and addresses; it is itself in the store.
ORIGIN = "777777777"
CUSTOMER = f"shopper-{ORIGIN}"
#: Events of each customer; one of them earns a discount, and one uses it.
NAMES = ("Product Viewed",) * 6 + ("Product Added", "Cart Viewed", "Checkout Started", "Order Completed")
#: Customers whose rows are written in one transaction.
_PIECE = 20_000
#: So far apart are the row numbers of two customers.
_STEP = 100
_MOMENT = 10**15
_SPREAD = timedelta(days=20) // timedelta(microseconds=1)
_JOURNAL_ROWS, _QUARANTINED = 100_000, 20_000


class Progress(Struct):
    """How far the filling has come."""

    started: float

    def say(self, what: str, count: int) -> None:
        """Print a line."""
        print(f"{time.perf_counter() - self.started:6.0f} s  {what}: {count:,}", flush=True)


async def grow(shop: App, customers: int) -> None:
    """Give an open, empty store so many customers with ten events and a discount each."""
    progress = Progress(time.perf_counter())
    await _one_customer(shop)
    now = time.time() * 1e6
    end: Any = shop.store.end()  # type: ignore[attr-defined]
    for table in COPIED:
        rows = await _of_origin(end, table)
        if rows:
            copies = _Copies(table, rows, customers, now)
            for first in range(0, customers - 1, _PIECE):
                await end.put(table, list(copies.rows(first, min(first + _PIECE, customers - 1))), "")
            progress.say(table.name, len(rows) * customers)
    await end.finish()
    await _quarantined(shop)
    await _journal(shop)
    progress.say("all", customers)


async def _one_customer(shop: App) -> None:
    """Send what one customer does, so that every table has what it would have of it."""
    now = datetime.now(UTC) - timedelta(minutes=30)
    traits = {"email": f"{CUSTOMER}@example.com", "phone": "+4912345678", "plan": "gold", "name": "Ann"}
    await _receive(
        shop, {"type": "identify", "messageId": f"i-{ORIGIN}", "userId": CUSTOMER, "traits": traits}, now
    )
    code = ""
    for number, name in enumerate(NAMES):
        properties: dict[str, Any] = {
            "order_id": f"O-{ORIGIN}", "value": 145.75, "total": 145.75, "currency": "USD",
            "shipping_country": "US",
        }  # fmt: skip
        if name == "Order Completed":
            properties["coupon"] = code
        call = {
            "type": "track", "event": name, "messageId": f"m{number}-{ORIGIN}", "userId": CUSTOMER,
            "properties": properties,
        }  # fmt: skip
        for result in await _receive(shop, call, now + timedelta(minutes=number)):
            code = result.discounts[0].code if result.discounts else code
    assert code, "the starter rules give a discount for the checkout"


async def _receive(shop: App, call: dict[str, Any], at: datetime) -> Any:
    stamp = {"timestamp": at.isoformat(), "sentAt": at.isoformat(), "originalTimestamp": at.isoformat()}
    body = json.dumps({**call, **stamp}).encode()
    return await shop.ingest.receive(SOURCES["segment"].decode_recorded(body, at))


async def _of_origin(end: Any, table: Table) -> list[Row]:
    """Return the customer's rows of a table; none of tables that have no customer's key."""
    if not isinstance(table.rows, CustomerRows):
        return []
    owner = table.index(table.rows.column)
    return [row for row in await end.page(table, None, 1_000) if row[owner] == CUSTOMER]


class _Copies:
    """Rows of other customers, made of those of one."""

    def __init__(self, table: Table, rows: list[Row], customers: int, now: float) -> None:
        spread = _Spread(customers, now)
        self._rows = [
            [_maker(column, value, spread) for column, value in zip(table.columns, row, strict=True)]
            for row in rows
        ]

    def rows(self, first: int, end: int) -> Iterator[Row]:
        """Yield the rows of customers numbered from `first` to `end`."""
        for number in range(first, end):
            digits = f"{number:09d}"
            for makers in self._rows:
                yield tuple(make(number, digits) for make in makers)


#: What tells two customers' rows apart beside the customer's number: codes, and ids of 32 hexadecimal digits.
_TOKEN = re.compile(
    r"(?<=HV15-)[A-Z0-9]{8}|(?<=HV15)[A-Z0-9]{8}(?![A-Z0-9])"
    r"|(?<![0-9a-f])(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])"
)
#: Returns the value of another customer, of its number and its nine digits.
Make = Callable[[int, str], Any]


class _Spread(Struct, frozen=True):
    """How far the moments of customers are apart: as rows are appended, the later the customer, the later."""

    customers: int
    now: float

    def moment(self, value: int) -> Make:
        """Return what makes moments. What is still to come is not due for every customer at once."""
        apart = _SPREAD // self.customers
        if value < self.now:
            return lambda number, _: value - (self.customers - number) * apart
        return lambda number, _: value + number


def _maker(column: Column, value: Any, spread: _Spread) -> Make:
    """Return what makes other customers' values of one; what can be worked out once is."""
    if column.name == "status":
        return lambda number, _: "done" if number % 200 else "dead"
    if isinstance(value, str):
        return _text_maker(value)
    if isinstance(value, bytes):
        return _bytes_maker(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if value > _MOMENT:
            return spread.moment(value)
        if column.name in ("number", "id"):
            return lambda number, _: value + (number + 1) * _STEP
    return lambda _, __: value


def _text_maker(value: str) -> Callable[[int, str], str]:
    tokens = _TOKEN.findall(value)

    def make(number: int, digits: str) -> str:
        made = value.replace(ORIGIN, digits)
        for token in tokens:
            made = made.replace(token, _token(token, number))
        return made

    return make


def _bytes_maker(value: bytes) -> Make:
    if len(value) in (16, 32) and value[:1] not in (b"{", b"["):
        return lambda _, digits: sha256(value + digits.encode()).digest()[: len(value)]
    text = _text_maker(value.decode("latin-1"))
    return lambda number, digits: text(number, digits).encode("latin-1")


def _token(text: str, number: int) -> str:
    return f"{number:08X}" if len(text) == 8 else sha256(f"{text}{number}".encode()).hexdigest()[: len(text)]


async def _quarantined(shop: App) -> None:
    """Send messages that no mapping can take."""
    now = datetime.now(UTC)
    for first in range(0, _QUARANTINED, 500):
        calls = [
            {
                "type": "track",
                "event": "Order Completed",
                "messageId": f"q{number}",
                "properties": {"n": number},
            }
            for number in range(first, first + 500)
        ]
        body = json.dumps(calls).encode()
        await shop.ingest.receive(SOURCES["segment"].decode_recorded(body, now), len(body))


async def _journal(shop: App) -> None:
    """Append rows of ten messages each, as a server under load writes them."""
    now, compressor = datetime.now(UTC) - timedelta(days=6), zstandard.ZstdCompressor(level=1)
    for first in range(0, _JOURNAL_ROWS, 200):
        rows = [
            journal_row(
                [_entry(row * 10 + number, now + timedelta(seconds=row * 5)) for number in range(10)],
                compressor,
            )
            for row in range(first, first + 200)
        ]
        await shop.store.add_journal(rows)


def _entry(number: int, at: datetime) -> JournalEntry:
    outcome: JournalOutcome = "quarantined" if number % 97 == 0 else "processed"
    customer, name = f"shopper-{number:09d}", NAMES[number % len(NAMES)]
    document = (
        f'{{"type":"track","event":"{name}","messageId":"j{number}","userId":"{customer}",'
        f'"properties":{{"value":{number % 400}.5,"currency":"USD"}}}}'
    )
    return JournalEntry(
        "segment", f"j{number}", f"j{number}", at, outcome, "no id" if outcome == "quarantined" else "",
        (customer,), document.encode(),
    )  # fmt: skip
