"""A shop's traffic, as fast as it is taken: memory and handles are flat, nothing is lost.

It is two minutes and a half of traffic, or half an hour. The figures are printed; `pytest -s` shows them.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.acceptance.conftest import own_process
from tests.acceptance.invariants import kept, miscounted, unsent
from tests.acceptance.receiver import Receiver
from tests.acceptance.traffic import Traffic
from tests.length import length

#: Seconds of traffic: a start, and what follows.
WARM_UP, SECONDS = length(60, 300), length(100, 1800)
#: Bytes that a message may leave behind in memory, which grows in steps: in short runs they weigh more. What
#: is kept of a message takes four kilobytes (the server that leaks).
PER_MESSAGE = length(1_800, 300)
#: Handles that come and go: a connection of the relay for each push that is on its way.
COMING_AND_GOING = 8


class Reading(Struct):
    """What a server held at a moment: messages behind it, bytes of memory, open handles."""

    messages: int
    resident: int
    handles: int


async def endure(server: Any, traffic: Traffic, seconds: int) -> list[Reading]:
    """Run traffic after the warm-up, and read the server six times on the way."""
    readings = []
    for part in range(6):
        await traffic.run(seconds // 5 if part else WARM_UP)
        await asyncio.sleep(0.3)
        readings.append(Reading(traffic.messages, server.resident, server.handles))
    for each in readings:
        print(f"{each.messages:,} messages: {each.resident / 1e6:.1f} MB, {each.handles} handles")  # noqa: T201
    return readings


def unflat(readings: list[Reading]) -> list[str]:
    """Return what grew."""
    first, last = readings[0], readings[-1]
    each = (last.resident - first.resident) / (last.messages - first.messages)
    found = [f"each message left {each:.0f} bytes behind"] if each > PER_MESSAGE else []
    more = max(reading.handles for reading in readings) - first.handles
    return found + ([f"{more} handles more were open"] if more > COMING_AND_GOING else [])


async def test_traffic_leaves_memory_and_handles_flat_and_loses_nothing(
    start_server: Any, store_url: str, rules: Path, receiver: Receiver
) -> None:
    server = await asyncio.to_thread(
        lambda: start_server(rules=rules, store=store_url, launch=own_process, **receiver.environ)
    )
    traffic = Traffic(server.port)
    if store_url.startswith("sqlite"):
        await traffic.fill()
    assert unflat(await endure(server, traffic, SECONDS)) == []
    assert {status for kind, status in traffic.answers if kind == "message"} == {200}
    async with asyncio.timeout(60):
        while not receiver.pushed.keys() >= set(traffic.codes):  # noqa: ASYNC110 - it knows no event
            await asyncio.sleep(0.1)
    await asyncio.to_thread(server.stop)
    found = await kept(store_url)
    assert found.wrong == []
    assert traffic.acknowledged - found.events.keys() == set()
    assert miscounted(found) == []
    assert unsent(found, receiver.pushed) == []


async def test_the_checker_finds_a_server_that_leaks(
    start_server: Any, postgres_store: str, rules: Path
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), "remember-everything"]
    server = await asyncio.to_thread(lambda: start_server(rules=rules, store=postgres_store, command=command))
    [memory, handles] = unflat(await endure(server, Traffic(server.port), 200))
    assert "bytes behind" in memory
    assert "handles more" in handles
