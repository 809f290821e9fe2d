"""Case D44 for real: two servers, 50 messages a second, and a core that is killed and comes back later.

`tests/core/test_day_away.py` plays the whole day on a test clock, `benchmarks/core_away.py` at its size.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.store.engines import open_store
from tests.acceptance.invariants import kept
from tests.acceptance.load import post
from tests.length import length

pytestmark = pytest.mark.process

#: Messages a second, for how long the core is away, and how many operations a second it gets after that.
RATE, AWAY, PER_SECOND = 50, length(10, 120), 200


async def _sent(port: int, first: int, count: int) -> list[int]:
    """Send messages, `RATE` a second; return the statuses."""
    begun = time.monotonic()

    async def send(number: int) -> int:
        await asyncio.sleep(max(0.0, begun + (number - first) / RATE - time.monotonic()))
        message = {
            "type": "track", "event": "Checkout Started", "messageId": f"m{number}",
            "userId": f"shopper-{number % 500}", "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"value": 150, "currency": "USD"},
        }  # fmt: skip
        answer = await post(port, "/webhooks/segment", json.dumps(message).encode())
        return answer.status

    return await asyncio.gather(*map(send, range(first, first + count)))


async def _empty(store: str) -> float:
    """Wait until nothing is due, and return when that was."""
    async with asyncio.timeout(300):
        while await open_store(store).deliveries("due", 1):  # noqa: ASYNC110 - no event says it
            await asyncio.sleep(0.2)
    return time.monotonic()


async def test_the_backlog_of_a_core_that_comes_back_is_sent_at_its_rate_beside_new_messages(
    start_server: Any, fork_launch: Any, rules: Path, tmp_path: Path
) -> None:
    core_store, store = f"sqlite:///{tmp_path / 'core.db'}", f"sqlite:///{tmp_path / 'outbox.db'}"
    core = await asyncio.to_thread(start_server, rules=rules, store=core_store)
    config = tmp_path / "adapter.toml"
    config.write_text(
        f'[destinations.core]\ntype = "core"\nurl = "{core.url}"\nwait_ms = 100\n'
        f"per_second = {PER_SECOND}\nallow_private_addresses = true\n"
    )
    adapter = await asyncio.to_thread(
        start_server,
        rules=tmp_path / "none",
        store=store,
        command=[sys.executable, "-m", "adapter.cli.main", "serve", "--config", str(config)],
        launch=fork_launch,
    )
    assert set(await _sent(adapter.port, 0, RATE)) == {200}
    await _empty(store)
    core.kill()
    assert set(await _sent(adapter.port, RATE, RATE * AWAY)) == {200}, "as long as the core is away"
    waiting = len(await open_store(store).deliveries("due", RATE * AWAY + 1))
    assert waiting == RATE * AWAY
    begun = time.monotonic()
    await asyncio.to_thread(core.start)
    more = asyncio.create_task(_sent(adapter.port, RATE * (AWAY + 1), RATE * 5))
    ended = await _empty(store)
    assert set(await more) == {200}
    # Half a second's share was saved up; all else is sent at the rate, at the most.
    assert ended - begun >= (waiting - PER_SECOND / 2) / PER_SECOND
    await _empty(store)
    adapter.stop()
    core.stop()
    total = RATE * (AWAY + 6)
    found = await kept(core_store)
    assert (len(found.events), set(found.events.values()), found.wrong) == (total, {1}, [])
