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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLS = 20
SENDERS = 16
USERS = 40
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


class Load:
    """Senders that repeat each message until it is acknowledged, and remember what they were told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acknowledged: dict[str, list[str]] = {}
        self.stopping = False
        self._sent = 0

    async def run(self) -> None:
        limits = httpx.Limits(max_connections=SENDERS)
        async with httpx.AsyncClient(timeout=5, limits=limits) as client:
            await asyncio.gather(*(self._sender(client) for _ in range(SENDERS)))

    async def _sender(self, client: httpx.AsyncClient) -> None:
        while not self.stopping:
            self._sent += 1
            await self._deliver(client, _message(self._sent))

    async def _deliver(self, client: httpx.AsyncClient, message: dict[str, Any]) -> None:
        while True:
            try:
                answer = await client.post(f"{self.url}/webhooks/segment", json=message)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                [result] = answer.json()["results"]
                self.acknowledged[message["messageId"]] = [
                    each["code"] for each in result.get("discounts", [])
                ]
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)


def _message(number: int) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Checkout Started",
        "messageId": f"m{number}",
        "userId": f"shopper-{number % USERS}",
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {"value": 150, "currency": "USD"},
    }


async def _killed_under_load(server: Any, kills: int, seed: int) -> Load:
    chance = random.Random(seed)
    load = Load(server.url)
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
    start_server: Any, rules: Path, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(lambda: start_server(rules=rules, **OUTBOX))
    load = await _killed_under_load(server, KILLS, seed=20)
    assert violations(tmp_path / "adapter.db", load.acknowledged) == []
    assert sum(len(codes) for codes in load.acknowledged.values()) == CAP, "the demand was there"


@pytest.mark.parametrize(
    ("variant", "kills", "complaint"),
    [("acknowledge-before-commit", 5, "acknowledged and lost"), ("read-then-write", 1, "for a cap of")],
)
async def test_the_checker_catches_a_broken_server(
    start_server: Any, rules: Path, tmp_path: Path, variant: str, kills: int, complaint: str
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), variant]
    server = await asyncio.to_thread(lambda: start_server(rules=rules, command=command, **OUTBOX))
    load = await _killed_under_load(server, kills, seed=5)
    assert any(complaint in each for each in violations(tmp_path / "adapter.db", load.acknowledged))
