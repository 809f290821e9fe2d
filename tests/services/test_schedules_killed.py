"""Processes that are killed while they fire a schedule, three at once on PostgreSQL: each customer once."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.model.operations import CustomerUpsert
from adapter.rules.engine.occurrences import latest_due
from adapter.services.background.schedules import written
from adapter.store.schedule_contract import ScheduleRow

RULES = """
rules:
  - name: daily
    trigger: {every: "day 09:00", for: gold}
    action: {type: store_credit, value: 5}
    guardrails: {stackable: true}
"""
COUNT = 4000
MOST_KILLS = 8


async def filled(desk: Any) -> None:
    """Put customers into a store whose schedule is due."""
    await desk.settle(
        [desk.work(CustomerUpsert(f"u{n:05}", joined_segments=("gold",))) for n in range(COUNT)]
    )
    [scheduled] = desk.book.schedules.by_name.values()
    due_at = latest_due(scheduled.trigger, datetime.now(UTC) - timedelta(seconds=1))
    await desk.store.start_schedule(ScheduleRow("daily", written(scheduled), due_at))


async def kill_at_random(url: str, rules: Path, way: str, processes: int, rng: random.Random) -> int:
    """Run processes, kill each after a while and start another one, until one has ended; returns kills."""
    kills = 0
    command = [sys.executable, "-m", "tests.services.schedule_process", url, str(rules), way]
    running = [await asyncio.create_subprocess_exec(*command) for _ in range(processes)]
    try:
        # On a loaded machine a process may be killed before it has begun: the last ones run to their end.
        while kills < MOST_KILLS and all(process.returncode is None for process in running):
            await asyncio.sleep(rng.uniform(0.3, 0.9) + (0.9 if kills == 0 else 0))
            victim = rng.randrange(processes)
            if running[victim].returncode is None:
                running[victim].kill()
                await running[victim].wait()
                kills += 1
                running[victim] = await asyncio.create_subprocess_exec(*command)
                await asyncio.sleep(rng.uniform(0.8, 1.6))  # the time to start, and something more
        assert all(process.returncode in (0, None) for process in running)
    finally:
        for process in running:
            if process.returncode is None:
                await asyncio.wait_for(process.wait(), 120)
    return kills


async def counts(store: Any) -> list[int]:
    """Return how many discounts each customer has."""
    return [len(await store.discounts(f"u{n:05}")) for n in range(COUNT)]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
async def test_killed_at_random_each_customer_has_one_discount(
    open_desk: Any, store_url: str, tmp_path: Path, seed: int
) -> None:
    desk = await open_desk(RULES)
    await filled(desk)
    await desk.store.close()
    processes = 3 if store_url.startswith("postgres") else 1
    kills = await kill_at_random(store_url, tmp_path / "rules", "works", processes, random.Random(seed))
    await desk.store.open()
    found = await counts(desk.store)
    assert kills > 0
    assert found == [1] * COUNT


@pytest.mark.long
async def test_the_check_finds_steps_that_are_saved_before_their_firings(
    open_desk: Any, store_url: str, tmp_path: Path
) -> None:
    desk = await open_desk(RULES)
    await filled(desk)
    await desk.store.close()
    await kill_at_random(store_url, tmp_path / "rules", "steps-first", 1, random.Random(1))
    await desk.store.open()
    assert min(await counts(desk.store)) == 0
