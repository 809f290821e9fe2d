"""Killed again and again under load, the server loses nothing it acknowledged and gives nothing twice.

The same checker must find fault with two servers that are broken on purpose (variants.py).
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.invariants import kept, unsent, violations
from tests.acceptance.receiver import SECRET
from tests.length import length

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLS = 50


async def _killed_under_load(server: Any, load: Any, kills: int, seed: int) -> Any:
    chance = random.Random(seed)
    sending = asyncio.create_task(load.run())
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        server.kill()
        await asyncio.to_thread(server.start)
    await asyncio.sleep(0.5)
    load.stopping = True
    await sending
    server.stop()
    return load


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'adapter.db'}"


#: A destination that cannot be reached, so that every delivery stays in the outbox to be counted.
OUTBOX = {
    "ADAPTER_DESTINATIONS_WEBHOOK_URL": "https://shop.invalid/hook",
    "ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": SECRET,
}


async def test_kills_lose_nothing_and_double_nothing(
    start_server: Any, load_on: Any, rules: Path, store: str
) -> None:
    server = await asyncio.to_thread(lambda: start_server(rules=rules, **OUTBOX))
    load = await _killed_under_load(server, load_on(server.url), KILLS, seed=50)
    found = await kept(store)
    assert violations(found, load.acknowledged, load.customers) == []
    assert unsent(found, {code: Counter(ids) for code, ids in found.outbox.items()}) == []


@pytest.mark.parametrize(
    ("variant", "kills", "complaint"),
    [
        ("acknowledge-before-commit", length(2, 5), "acknowledged and lost"),
        ("read-then-write", 1, "for a cap of"),
    ],
)
async def test_the_checker_catches_a_broken_server(
    start_server: Any,
    fork_launch: Any,
    load_on: Any,
    rules: Path,
    store: str,
    variant: str,
    kills: int,
    complaint: str,
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), variant]
    server = await asyncio.to_thread(
        lambda: start_server(rules=rules, command=command, launch=fork_launch, **OUTBOX)
    )
    load = await _killed_under_load(server, load_on(server.url), kills, seed=5)
    found = violations(await kept(store), load.acknowledged, load.customers)
    assert any(complaint in each for each in found)
