"""Processes that are killed while they fire a schedule, several at once on PostgreSQL: each customer once."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.model.operations import CustomerUpsert
from adapter.rules.engine.occurrences import latest_due
from adapter.services.background.schedules import written
from adapter.store.schedule_contract import ScheduleRow
from tests.length import length

RULES = """
rules:
  - name: daily
    trigger: {every: "day 09:00", for: gold}
    action: {type: store_credit, value: 5}
    guardrails: {stackable: true}
"""
COUNT = length(240, 4000)
KILLS = length(3, 8)
AT_ONCE = length(2, 3)
#: A process is killed after one to so many transactions of all, each of three customers.
TRANSACTIONS = 20


async def filled(desk: Any) -> None:
    """Put customers into a store whose schedule is due."""
    await desk.settle(
        [desk.work(CustomerUpsert(f"u{n:05}", joined_segments=("gold",))) for n in range(COUNT)]
    )
    [scheduled] = desk.book.schedules.by_name.values()
    due_at = latest_due(scheduled.trigger, datetime.now(UTC) - timedelta(seconds=1))
    await desk.store.start_schedule(ScheduleRow("daily", written(scheduled), due_at))


class Processes:
    """Processes that fire a schedule and write a line for each transaction; `moved` has whose line it was."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "tests.services.schedule_process", *arguments]
        self._running: list[Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self.moved = asyncio.Queue[int]()
        self.killed = set[int]()

    async def start(self) -> None:
        process = await asyncio.create_subprocess_exec(*self._command, stdout=PIPE)
        self._running.append(process)
        self._readers.append(asyncio.create_task(self._read(len(self._running) - 1)))

    async def _read(self, number: int) -> None:
        out = self._running[number].stdout
        assert out is not None
        while await out.readline():
            self.moved.put_nowait(number)

    async def kill(self, number: int) -> None:
        self._running[number].kill()
        await self._readers[number]
        await self._running[number].wait()
        self.killed.add(number)

    async def ended(self) -> None:
        """Wait until all have ended that were not killed, as they should."""
        await asyncio.gather(*self._readers)
        for number, process in enumerate(self._running):
            assert (await process.wait() == 0) != (number in self.killed)


async def kill_at_random(url: str, rules: Path, way: str, processes: int, rng: random.Random) -> int:
    """Run processes, kill one after some transactions and start another one, a few times; returns kills."""
    running = Processes(url, str(rules), way)
    async with asyncio.timeout(300):
        for _ in range(processes):
            await running.start()
        for _ in range(KILLS):
            for _ in range(rng.randint(1, TRANSACTIONS)):
                working = await running.moved.get()
            if working not in running.killed:
                await running.kill(working)
                await running.start()
        await running.ended()
    return len(running.killed)


async def counts(store: Any) -> list[int]:
    """Return how many discounts each customer has."""
    return [len(await store.discounts(f"u{n:05}")) for n in range(COUNT)]


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("seed", range(length(1, 3)))
async def test_killed_at_random_each_customer_has_one_discount(
    open_desk: Any, store_url: str, tmp_path: Path, seed: int
) -> None:
    desk = await open_desk(RULES)
    await filled(desk)
    await desk.store.close()
    processes = AT_ONCE if store_url.startswith("postgres") else 1
    kills = await kill_at_random(store_url, tmp_path / "rules", "works", processes, random.Random(seed))
    await desk.store.open()
    found = await counts(desk.store)
    assert kills > 0
    assert found == [1] * COUNT


@pytest.mark.slow
@pytest.mark.process
async def test_the_check_finds_steps_that_are_saved_before_their_firings(
    open_desk: Any, store_url: str, tmp_path: Path
) -> None:
    desk = await open_desk(RULES)
    await filled(desk)
    await desk.store.close()
    await kill_at_random(store_url, tmp_path / "rules", "steps-first", 1, random.Random(1))
    await desk.store.open()
    assert min(await counts(desk.store)) == 0
