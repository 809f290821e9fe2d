"""Processes that are killed while they start and fire timers: each life and each absent product fires once.

Several processes at once on PostgreSQL, and one at a time on SQLite, which has one writing process.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapter.store.engines import open_store
from tests.length import LONG, length

RULES = """
rules:
  - name: welcome
    trigger: signed_up
    action: {type: percentage_off, value: 10, max_amount: 20, expires_in_hours: 240}
    guardrails: {stackable: true}
  - name: unused
    trigger: {discount: issued, of: welcome, unused_for: 5d}
    action: {type: free_shipping, expires_in_hours: 240}
    guardrails: {stackable: true}
  - name: again
    trigger: {event: order_completed, unless: order_completed, within: 3d, per: skus}
    action: {type: store_credit, value: 5}
    guardrails: {stackable: true}
"""
CUSTOMERS = length(60, 800)
#: In which kind of transaction processes are killed, a round after the other; then they run to their end.
ROUNDS = ("take", "fire") * 5 if LONG else ("fire",)


class Killing:
    """Runs processes over one store, and kills them."""

    def __init__(self, url: str, rules: Path, *, seed: int, how: str = "works") -> None:
        self._arguments = (url, str(rules), str(CUSTOMERS))
        self._how = how
        self._random = random.Random(seed)
        self._processes = length(2, 3) if url.startswith("postgres") else 1
        self.kills: Counter[str] = Counter()

    async def run(self) -> None:
        """Kill the processes of each round, and let the last ones end."""
        for kind in (*ROUNDS, ""):
            await asyncio.gather(*(self._process(kind) for _ in range(self._processes)))

    async def _process(self, kind: str) -> None:
        """Run a process; with a kind, kill it after some lines of that kind, if it has not ended by then."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.services.timer_process", *self._arguments,
            str(self._random.random()), self._how, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        left = self._random.randint(2, 9)
        try:
            async for line in process.stdout:
                left -= line.decode().strip() == kind
                if left == 0:
                    await asyncio.sleep(self._random.uniform(0, 0.02))  # into any moment of a transaction
                    process.kill()
                    self.kills[kind] += 1
                    break
            assert await process.wait() == 0 or left == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def rewards(url: str) -> Counter[tuple[str, ...]]:
    """Return which rewards customers have, and how many have those; none is for one cause twice."""
    store, found = open_store(url), Counter[tuple[str, ...]]()
    await store.open()
    for number in range(CUSTOMERS):
        discounts = await store.discounts(f"u{number:05}")
        causes = {(each.rule, each.event_id) for each in discounts}
        found[*sorted(each.rule for each in discounts), *["twice"] * (len(discounts) - len(causes))] += 1
    await store.close()
    return found


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("seed", range(length(1, 4)))
async def test_killed_at_random_each_life_and_each_absent_product_fires_once(
    store_url: str, make_rules: Any, tmp_path: Path, seed: int
) -> None:
    make_rules(RULES)
    killing = Killing(store_url, tmp_path / "rules", seed=seed)
    await killing.run()
    assert set(killing.kills) == set(ROUNDS)
    assert await rewards(store_url) == {("again", "again", "unused", "welcome"): CUSTOMERS}


@pytest.mark.long
@pytest.mark.parametrize("how", ["timers-first", "timers-last"])
async def test_the_check_finds_timers_that_go_in_a_transaction_of_their_own(
    store_url: str, make_rules: Any, tmp_path: Path, how: str
) -> None:
    make_rules(RULES)
    await Killing(store_url, tmp_path / "rules", seed=1, how=how).run()
    found = await rewards(store_url)
    lost = [each for each in found if len([rule for rule in each if rule != "twice"]) < 4]
    twice = [each for each in found if len(each) > 4]
    assert lost if how == "timers-first" else twice, found
