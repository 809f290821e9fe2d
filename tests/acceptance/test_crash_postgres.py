"""Over PostgreSQL: whoever is killed, nothing acknowledged is lost or doubled, and no cap is exceeded by one.

Killed are adapter processes of several over one database, and PostgreSQL itself, while they stay up.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.postgres import PostgresServer
from tests.acceptance.invariants import CAP, end_leases, kept, unsent, violations
from tests.acceptance.receiver import Receiver
from tests.length import length

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLS = 50
PROCESSES = 3
VARIANTS = Path(__file__).parent / "variants.py"


async def killing(load: Any, kill: Callable[[], Awaitable[None]], kills: int, seed: int) -> None:
    """Kill under load at random moments, each time after something was acknowledged, then let all settle."""
    chance = random.Random(seed)
    sending = asyncio.create_task(load.run())
    for _ in range(kills):
        heard = len(load.acknowledged)
        async with asyncio.timeout(30):
            while len(load.acknowledged) == heard:  # noqa: ASYNC110 - what is waited for knows no event
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0.02, 0.3))
        await kill()
    await asyncio.sleep(0.5)
    load.stopping = True
    await sending


async def broken_promises(store: str, load: Any, receiver: Receiver) -> list[str]:
    found = await kept(store)
    return violations(found, load.acknowledged, load.customers) + unsent(found, receiver.pushed)


async def all_pushed(store: str, receiver: Receiver, load: Any) -> None:
    """Wait for what the checker asks of the receiver."""
    await end_leases(store)
    async with asyncio.timeout(60):
        while len(receiver.pushed) < CAP + load.customers:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_kills_of_processes_lose_nothing_and_double_nothing(
    start_server: Any, load_on: Any, rules: Path, postgres_store: str,
    receiver: Receiver,
) -> None:  # fmt: skip
    def start() -> Any:
        return start_server(rules=rules, store=postgres_store, **receiver.environ)

    servers = [await asyncio.to_thread(start) for _ in range(PROCESSES)]
    chance = random.Random(1)

    async def kill() -> None:
        victim = servers[chance.randrange(PROCESSES)]
        victim.kill()
        await asyncio.to_thread(victim.start)

    load = load_on(*(server.url for server in servers))
    await killing(load, kill, KILLS, seed=1)
    await all_pushed(postgres_store, receiver, load)
    for server in servers:
        await asyncio.to_thread(server.stop)
    assert await broken_promises(postgres_store, load, receiver) == []


async def test_kills_of_postgresql_lose_nothing_and_double_nothing(
    start_server: Any, load_on: Any, rules: Path, mortal_postgres: PostgresServer, mortal_database: str,
    receiver: Receiver,
) -> None:  # fmt: skip
    def start() -> Any:
        return start_server(rules=rules, store=mortal_database, **receiver.environ)

    servers = [await asyncio.to_thread(start) for _ in range(2)]

    async def kill() -> None:
        mortal_postgres.kill()
        await asyncio.to_thread(mortal_postgres.start)

    load = load_on(*(server.url for server in servers))
    await killing(load, kill, KILLS, seed=2)
    await all_pushed(mortal_database, receiver, load)
    for server in servers:
        await asyncio.to_thread(server.stop)
    assert load.turned_away > KILLS, "while the database was away, senders were told so"
    assert await broken_promises(mortal_database, load, receiver) == []


@pytest.mark.parametrize(
    ("variant", "kills", "complaint"),
    [
        ("acknowledge-before-commit", length(1, 3), "acknowledged and lost"),
        ("read-then-write", 0, "for a cap of"),
    ],
)
async def test_the_checker_catches_a_broken_server(
    start_server: Any, load_on: Any, rules: Path, mortal_postgres: PostgresServer, mortal_database: str,
    receiver: Receiver, variant: str, kills: int, complaint: str,
) -> None:  # fmt: skip
    command = [sys.executable, str(VARIANTS), variant]
    server = await asyncio.to_thread(
        lambda: start_server(rules=rules, store=mortal_database, command=command, **receiver.environ)
    )

    async def kill() -> None:
        mortal_postgres.kill()
        await asyncio.to_thread(mortal_postgres.start)

    load = load_on(server.url)
    await killing(load, kill, kills, seed=3)
    await asyncio.to_thread(server.stop)
    assert any(complaint in each for each in await broken_promises(mortal_database, load, receiver))
