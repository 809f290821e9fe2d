"""A desk that settles work over one rule book and any store; each test that asks gets both engines."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.model.events import Event, User
from adapter.model.forwards import ForwardTo
from adapter.model.operations import EventOccurred, Operation
from adapter.model.timers import Timer
from adapter.rules.engine import ruleset as rule_book
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.result import CommitResult, Result
from adapter.services.ingest.work_item import Unrewarded, Work
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import OnLocksAcquired
from tests.services.transacting import Transacting

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Desk:
    """Settles works over one store and one rule book, at a moment that tests set."""

    def __init__(self, store: Store, book: RuleSet, numbers: Any) -> None:
        self.store, self.book, self.now = store, book, NOON
        self.destinations: tuple[str, ...] = ()
        self._numbers = numbers
        self._transacting = Transacting(store, self._draw, self._new_id)

    @property
    def last(self) -> CommitResult:
        """What the last transaction came to."""
        return self._transacting.capacity.last

    @property
    def room(self) -> int:
        """How many more timers may wait."""
        return self._transacting.capacity.free

    @room.setter
    def room(self, free: int) -> None:
        self._transacting.capacity.free = free

    @property
    def forwards(self) -> dict[str, ForwardTo]:
        """What destinations are forwarded, by name."""
        return self._transacting.forwards

    def at(self, minutes: float = 0) -> datetime:
        return NOON + timedelta(minutes=minutes)

    def event(self, name: str, who: str = "ann", minutes: float = 0, **attributes: Any) -> EventOccurred:
        happened = Event(f"{name}@{minutes}", name, self.at(minutes), User(id=who), attributes, {})
        return EventOccurred(who, happened)

    def work(self, *operations: Operation, key: str | None = None, unrewarded: str | None = None) -> Work:
        key = key or f"m{next(self._numbers)}"
        why = Unrewarded("development", unrewarded) if unrewarded else None
        return Work("segment", key, key, self.now, operations, unrewarded=why)

    def due(self, timer: Timer) -> Work:
        return Work("timer", "", timer.event.id, self.now, timer=timer)

    async def take(self, *operations: Operation, unrewarded: str | None = None) -> Result:
        [result] = await self.settle([self.work(*operations, unrewarded=unrewarded)])
        return result

    async def settle(
        self, batch: Sequence[Work], on_locks_acquired: OnLocksAcquired | None = None
    ) -> list[Result]:
        return await self.transactions.settle(batch, on_locks_acquired)

    @property
    def transactions(self) -> Transactions:
        """What settles works at the moment."""
        return self._transacting.over(self.store, self.now, self.book, self.destinations)

    async def fire(self) -> list[Result]:
        """Settle what is due."""
        timers = await self.store.due_timers(self.now, 100)
        return await self.settle([self.due(timer) for timer in timers])

    def _new_id(self) -> str:
        return f"id{next(self._numbers)}"

    def _draw(self, n: int) -> str:
        return f"{next(self._numbers):0{n}d}"[-n:]


OpenDesk = Callable[..., Any]


@pytest.fixture
def make_rules(tmp_path: Path) -> Callable[[str], RuleSet]:
    """Turns the text of a rule file into a book."""

    def make(text: str) -> RuleSet:
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        (folder / "rules.yaml").write_text(text)
        book, problems = rule_book.load(folder)
        assert book is not None, [str(problem) for problem in problems]
        return book

    return make


@pytest.fixture
async def open_desk(store_url: str, make_rules: Callable[[str], RuleSet]) -> AsyncIterator[OpenDesk]:
    """Opens desks over the test's store, each a process of its own where the engine allows several."""
    numbers = itertools.count(1)
    stores: list[Store] = []

    async def open_(rules: str) -> Desk:
        store = open_store(store_url)
        await store.open()
        stores.append(store)
        return Desk(store, make_rules(rules), numbers)

    yield open_
    for store in stores:
        await store.close()
