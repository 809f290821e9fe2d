"""Killed again and again under load, the server loses nothing it acknowledged and gives nothing twice.

The same checker must find fault with two servers that are broken on purpose (variants.py).
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLS = 20
PER_USER = 2
CAP = 60
RULE = f"""
name: crash
trigger: checkout_started
conditions:
  all:
    - cart_value >= 1
action: {{type: percentage_off, value: 10, expires_in_hours: 24}}
guardrails: {{max_daily_redemptions: {CAP}, per_user_limit: {PER_USER}, stackable: true}}
"""


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


def violations(database: Path, acknowledged: dict[str, list[str]]) -> list[str]:
    """Return every broken promise found in the file, against what the senders were told."""
    with sqlite3.connect(database) as store:
        found = [
            f"integrity_check: {row[0]}" for row in store.execute("PRAGMA integrity_check") if row[0] != "ok"
        ]
        stored = Counter(row[0] for row in store.execute("SELECT event_id FROM events"))
        owners = Counter(row[0] for row in store.execute("SELECT source_id FROM discounts"))
        codes = [row[0] for row in store.execute("SELECT code FROM discounts")]
        pushed = Counter(
            json.loads(row[0])["data"]["code"] for row in store.execute("SELECT body FROM deliveries")
        )
        used = dict(store.execute("SELECT key, used FROM counters WHERE scope = ''"))
    found += [f"acknowledged and lost: {name}" for name in acknowledged if name not in stored]
    found += [f"stored {count} times: {name}" for name, count in stored.items() if count > 1]
    found += [f"told a code that is not kept: {code}" for told in acknowledged.values() for code in told
              if code not in codes]  # fmt: skip
    found += [f"{owner} was given {count}" for owner, count in owners.items() if count > PER_USER]
    if len(codes) > CAP:
        found.append(f"{len(codes)} discounts for a cap of {CAP}")
    if list(used.values()) != [len(codes)]:
        found.append(f"counters {used} for {len(codes)} discounts")
    found += [f"pushed {pushed[code]} times: {code}" for code in codes if pushed[code] != 1]
    return found


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "crash.yaml").write_text(RULE)
    return folder


#: A destination that cannot be reached, so that every delivery stays in the outbox to be counted.
OUTBOX = {
    "ADAPTER_DESTINATIONS_WEBHOOK_URL": "https://shop.invalid/hook",
    "ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


async def test_twenty_kills_lose_nothing_and_double_nothing(
    start_server: Any, load_on: Any, rules: Path, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(lambda: start_server(rules=rules, **OUTBOX))
    load = await _killed_under_load(server, load_on(server.url), KILLS, seed=20)
    assert violations(tmp_path / "adapter.db", load.acknowledged) == []
    assert sum(len(codes) for codes in load.acknowledged.values()) == CAP, "the demand was there"


@pytest.mark.parametrize(
    ("variant", "kills", "complaint"),
    [("acknowledge-before-commit", 5, "acknowledged and lost"), ("read-then-write", 1, "for a cap of")],
)
async def test_the_checker_catches_a_broken_server(
    start_server: Any, load_on: Any, rules: Path, tmp_path: Path, variant: str, kills: int, complaint: str
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), variant]
    server = await asyncio.to_thread(lambda: start_server(rules=rules, command=command, **OUTBOX))
    load = await _killed_under_load(server, load_on(server.url), kills, seed=5)
    assert any(complaint in each for each in violations(tmp_path / "adapter.db", load.acknowledged))
