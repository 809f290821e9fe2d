"""A process that fires schedules, which a test kills: it goes on until nothing is due.

It writes a line for each transaction, before it commits what the transaction fired.

Arguments: the store's URL, the folder of the rules, and `works`, or `steps-first` for a process that saves
how far an occurrence has come before its firings and not with them, as none may.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapter.mapping.mapping_set import MappingSet
from adapter.metrics import Metrics
from adapter.rules.engine import ruleset
from adapter.services.background.schedules import SchedulePacing, ScheduleRunner
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.timer_capacity import TimerCapacity
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.engines import open_store
from adapter.store.values import Changes

PACING = SchedulePacing(
    lease=timedelta(seconds=1), page=20, firings=3, per_second=100_000, rest=timedelta(milliseconds=1),
    look=timedelta(milliseconds=50),
)  # fmt: skip


class Told:
    """Transactions that are told of."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def settle(self, works: Sequence[Work], locked: Any, complete: Callable[..., Any]) -> Any:
        sys.stdout.write("transaction\n")
        sys.stdout.flush()
        return await self._transactions.settle(works, locked, complete)


class StepsFirst:
    """Transactions that save a step before the firings that it counts."""

    def __init__(self, transactions: Transactions, store: Any) -> None:
        self._transactions = transactions
        self._store = store

    async def settle(self, works: Sequence[Work], locked: Any, complete: Callable[..., Any]) -> Any:
        nothing = Changes(seen_at=datetime.now(UTC))
        await self._store.step_schedule(complete(nothing, []).schedule)
        sys.stdout.write("step\n")
        sys.stdout.flush()
        await asyncio.sleep(0.05)
        return await self._transactions.settle(works, locked, lambda changes, _results: changes)


async def main(url: str, rules: str, way: str) -> None:
    """Fire until nothing is due."""
    book, problems = ruleset.load(Path(rules))
    assert book is not None, problems
    store, metrics, files = open_store(url), Metrics(), LoadedFiles(MappingSet([]), book)
    await store.open()
    transactions = Transactions(
        store, files, Environment(), timers=TimerCapacity(store, metrics), health=CommitHealth(lambda: 0),
        metrics=metrics,
    )  # fmt: skip
    settling: Any = StepsFirst(transactions, store) if way == "steps-first" else Told(transactions)
    runner = ScheduleRunner(
        store, files, settling, lambda: datetime.now(UTC), worker=uuid4().hex, metrics=metrics,
        complete=_nothing, pacing=PACING,
    )  # fmt: skip
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    while await _is_due(store):  # noqa: ASYNC110 - the store knows no event
        await asyncio.sleep(0.05)
    stop.set()
    await running
    await store.close()


async def _is_due(store: Any) -> bool:
    return any(row.due_at <= datetime.now(UTC) for row in await store.schedules())


async def _nothing(names: Any) -> None:
    """Complete no history: there is none."""


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
