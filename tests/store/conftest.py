"""One suite for every engine: `store` is parametrised, `make` builds values, `run` scripts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw
from zstandard import ZstdCompressor

from adapter.model.actions import PercentageOff
from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.customers import Customer
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.deliveries import Delivery
from adapter.model.discounts import CounterReservation, Discount, DiscountRecord, Status
from adapter.model.encoding import encode
from adapter.model.events import Event, User
from adapter.model.ignored import Ignored
from adapter.model.journal import JournalEntry, JournalRow, journal_row
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Quarantined
from adapter.model.redemptions import CodeUse, Redemption, Rollback
from adapter.model.timers import Timer
from adapter.store.checkout_values import BookedState, BookingRequest
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, Erasure, LoadedState, LoadRequest, NewEvent

NOW = datetime(2026, 11, 21, 10, 30, 0, 123457, tzinfo=UTC)


class Make:
    """Values with as little said as a test needs."""

    now = NOW

    def at(self, **after: float) -> datetime:
        return NOW + timedelta(**after)

    def customer(self, source_id: str, history: bytes = b"", **fields: Any) -> CustomerRecord:
        return CustomerRecord(Customer(source_id, **fields), history)

    def event(self, id_: str = "e1", at: datetime = NOW, **attributes: Any) -> Event:
        return Event(
            id_, "order_completed", at, User(id="c1"), attributes, {"page": {"url": "https://x.test"}}
        )

    def held(
        self,
        code: str,
        source_id: str = "c1",
        *,
        status: Status = "issued",
        expires_at: datetime | None = None,
        event_id: str = "e1",
        issued_at: datetime = NOW,
        claims: tuple[CounterReservation, ...] = (),
    ) -> DiscountRecord:
        action = PercentageOff(Decimal("15.50"), max_amount=Decimal(40))
        metadata = {"rule": "high-cart", "issued_for_event_id": event_id, "user_id": source_id}
        discount = Discount(code, action, expires_at, metadata, False, status)
        return DiscountRecord(discount, source_id, "high-cart", event_id, issued_at, issued_at, claims)

    def claim(self, scope: str, key: str = "high-cart:total", amount: int = 1) -> CounterReservation:
        return CounterReservation(scope, CounterKey(key), 10, amount, "max_total")

    def decision(self, source_id: str = "c1", event_id: str = "e1", at: datetime = NOW) -> Decision:
        outcome = RuleOutcome("high-cart", "issued", "cart_value is 130, at least 120", code="A1")
        return Decision(event_id, "order_completed", source_id, at, "book", (outcome,), {"cart_value": 130})

    def delivery(
        self, id_: str, source_id: str = "c1", due_at: datetime = NOW, destination: str = "shop"
    ) -> Delivery:
        body = Raw(b'{"code":"A1"}')
        return Delivery(id_, destination, source_id, "discount.issued", body, NOW, due_at)

    def timer(
        self, rule: str = "lapsed", source_id: str = "c1", at: datetime = NOW, minutes: int = 30
    ) -> Timer:
        return Timer(rule, source_id, self.event(at=at), at + timedelta(minutes=minutes))

    def pending(self, id_: str = "p1", source_id: str = "c1", code: str = "A1", **fields: Any) -> PendingMove:
        return PendingMove(id_, source_id, "redeem", code, NOW, NOW, "it waits", **fields)

    def redemption(
        self, id_: str = "r1", source_id: str = "c1", codes: tuple[str, ...] = ("A1",), **fields: Any
    ) -> Redemption:
        uses = tuple(CodeUse(code=code, rule="high-cart", amount=1_000) for code in codes)
        given: dict[str, Any] = {"state": "redeemed", "at": NOW, "order_id": "o1", "currency": "EUR"}
        given |= {"uses": uses} | fields
        return Redemption(id=id_, source_id=source_id, **given)

    def rollback(self, id_: str = "b1", number: int = 1, **fields: Any) -> Rollback:
        given: dict[str, Any] = {"redemption": "r1", "source_id": "c1", "at": NOW}
        return Rollback(id=id_, number=number, **(given | fields))

    def quarantined(
        self, key: str, reason: str = "no userId", names: dict[str, Any] | None = None
    ) -> Quarantined:
        return Quarantined("segment", key, Raw(encode({"type": "track"} | (names or {}))), reason, NOW)

    def journal(self, message_id: str, *names: str) -> JournalRow:
        entry = JournalEntry("segment", message_id, message_id, NOW, "processed", "", names, b"{}")
        return journal_row([entry], ZstdCompressor())

    def ignored(self, event: str, count: int = 1, at: datetime = NOW) -> Ignored:
        return Ignored("segment", "track", event, count, at, at)

    def changes(self, **given: Any) -> Changes:
        events = [
            NewEvent(owner, "segment", event, place)
            for place, (owner, event) in enumerate(given.pop("events", []))
        ]
        erased = [Erasure(each) if isinstance(each, str) else each for each in given.pop("erased", [])]
        return Changes(**({"seen_at": NOW} | given | {"erased": erased, "events": events}))


class Run:
    """The three verbs of a transaction, as one-step scripts."""

    def __init__(self, store: Store, make: Make) -> None:
        self._store = store
        self._make = make

    async def save(self, wanted: LoadRequest | None = None, **given: Any) -> LoadedState:
        async def script(transaction: Transaction) -> LoadedState:
            loaded = await transaction.load(wanted or LoadRequest(), NOW)
            await transaction.save(self._make.changes(**given))
            return loaded

        return await self._store.transact(script)

    async def write(self, changes: Changes) -> None:
        async def script(transaction: Transaction) -> None:
            await transaction.save(changes)

        await self._store.transact(script)

    async def load(self, now: datetime = NOW, **wanted: Any) -> LoadedState:
        async def script(transaction: Transaction) -> LoadedState:
            return await transaction.load(LoadRequest(**wanted), now)

        return await self._store.transact(script)

    async def booked(self, **wanted: Any) -> BookedState:
        async def script(transaction: Transaction) -> BookedState:
            await transaction.load(LoadRequest(), NOW)
            return await transaction.booked(BookingRequest(**wanted))

        return await self._store.transact(script)

    async def used(self, *counters: tuple[str, str]) -> dict[ScopedKey, int]:
        async def script(transaction: Transaction) -> dict[ScopedKey, int]:
            keys = sorted((scope, CounterKey(key)) for scope, key in counters)
            return (await transaction.reserve(keys, [])).used

        return await self._store.transact(script)


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store for each test, on each engine."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    folder = tmp_path / "with space"
    folder.mkdir()
    return f"sqlite:///{folder / 'adapter.db'}"


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    store = open_store(store_url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def run(store: Store, make: Make) -> Run:
    return Run(store, make)


@pytest.fixture
def simulate(store_url: str, make: Make) -> Callable[[list[Changes], list[ScopedKey]], dict[ScopedKey, int]]:
    """Saves changes one after the other, and returns counters; for tests that hypothesis repeats."""

    async def play(steps: list[Changes], counters: list[ScopedKey]) -> dict[ScopedKey, int]:
        store = open_store(store_url)
        await store.open()
        try:
            for changes in steps:
                await Run(store, make).write(changes)
            return await Run(store, make).used(*counters)
        finally:
            await store.close()

    return lambda steps, counters: asyncio.run(play(steps, counters))
