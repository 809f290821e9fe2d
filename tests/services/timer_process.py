"""A process that stores messages and fires timers, which a test kills: it goes on until nothing is due.

Arguments: the store's URL, the folder of the rules, the number of customers, a seed, and how: `works`, or one
of the orders in which none may: `timers-first` and `timers-last` remove timers in a transaction of their own,
before or after the one that saves what they have come to. It prints a line before and after each transaction,
`take` for messages and `fire` for timers.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapter.mapping.mapping_set import MappingSet
from adapter.metrics import Metrics
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred
from adapter.rules.engine import ruleset
from adapter.services.background.timers import Pacing, Timers
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.result import Result
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.engines import open_store
from adapter.store.values import Changes

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
#: When messages are received, and when all timers that they have started are due.
RECEIVED, LATER = START + timedelta(days=1), START + timedelta(days=8)
BATCH = 15


def works(number: int) -> list[Work]:
    """Return the messages of a customer: they sign up, buy two products, and one of these again."""
    who = f"u{number:05}"
    events = (
        Event(f"signed-{who}", "signed_up", START, User(id=who), {}, {}),
        Event(f"first-{who}", "order_completed", START, User(id=who), {"skus": ["a", "b"]}, {}),
        Event(f"again-{who}", "order_completed", RECEIVED, User(id=who), {"skus": ["b"]}, {}),
    )
    return [Work("segment", each.id, each.id, RECEIVED, (EventOccurred(who, each),)) for each in events]


class Told:
    """Settles works, and prints a line before and after; `how` is the last argument of the program."""

    def __init__(self, transactions: Transactions, store: Any, how: str) -> None:
        self._transactions = transactions
        self._store = store
        self._how = how

    async def settle(self, batch: Sequence[Work]) -> list[Result]:
        kind = "fire" if batch[0].timer else "take"
        _tell(kind)
        if kind == "take" or self._how == "works":
            results = await self._transactions.settle(batch)
        else:
            results = await self._in_two(batch)
        _tell(kind)
        return results

    async def _in_two(self, batch: Sequence[Work]) -> list[Result]:
        """Settle due timers in two transactions, so that a kill can come between."""
        left: list[Changes] = []

        def parted(changes: Changes, _results: list[Result]) -> Changes:
            removal = replace(Changes(changes.seen_at), cancelled=changes.cancelled)
            rest = replace(changes, cancelled=[])
            left[:] = [rest if self._how == "timers-first" else removal]
            return removal if self._how == "timers-first" else rest

        results = await self._transactions.settle(batch, complete=parted)
        _tell("fire")  # so that some kills come here
        await asyncio.sleep(0.02)
        await self._store.transact(lambda transaction: transaction.save(left[0]))
        return results


def _tell(kind: str) -> None:
    sys.stdout.write(f"{kind}\n")
    sys.stdout.flush()


async def main(url: str, rules: str, count: str, seed: str, how: str) -> None:
    """Store the messages of all customers, in an order of the seed, and fire until nothing is due."""
    book, problems = ruleset.load(Path(rules))
    assert book is not None, problems
    now, store, metrics = RECEIVED, open_store(url), Metrics()
    await store.open()
    capacity = TimerCapacity(store, metrics)
    transactions = Transactions(
        store, LoadedFiles(MappingSet([]), book), Environment(clock=lambda: now), timers=capacity,
        health=CommitHealth(lambda: 0), metrics=metrics,
    )  # fmt: skip
    told = Told(transactions, store, how)
    everyone = list(range(int(count)))
    random.Random(seed).shuffle(everyone)
    messages = [work for number in everyone for work in works(number)]
    for begin in range(0, len(messages), BATCH):
        await told.settle(messages[begin : begin + BATCH])
    now = LATER
    timers = Timers(store, told.settle, lambda: now, capacity, Pacing(limit=BATCH))
    while await timers.fire():
        pass
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
