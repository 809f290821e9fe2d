"""PostgreSQL's disk full, that of its tables or of its log: 503, nothing lost, and on it goes with room."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from benchmarks.postgres import PostgresServer
from tests.acceptance.disks import Disk, mounted
from tests.acceptance.invariants import end_leases, kept, unsent, violations
from tests.acceptance.receiver import Receiver
from tests.length import length

#: A connection whose server crashed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

#: Without fsync, because no test cuts the power; with a log that keeps few files for later.
SETTINGS = ("fsync=off", "shared_buffers=16MB", "min_wal_size=32MB", "max_wal_size=32MB")
#: Two files of the log, or the tables of a new server and its log, and some room.
LOG, TABLES = 40, 80


#: Brings a fault on, or mends it.
Move = Callable[[], Awaitable[None]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-full-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tables(folder: Path) -> Iterator[tuple[PostgresServer, Disk]]:
    """A server with all it has on a small disk."""
    with mounted(folder / "data", TABLES) as disk:
        shutil.chown(disk.folder, "nobody")
        server = PostgresServer(folder, *SETTINGS)
        server.start()
        yield server, disk
        server.stop()


@pytest.fixture
def log(folder: Path) -> Iterator[tuple[PostgresServer, Disk]]:
    """A server with its log on a small disk."""
    with mounted(folder / "wal", LOG) as disk:
        server = PostgresServer(folder, *SETTINGS)
        wal = folder / "data" / "pg_wal"
        subprocess.run(["cp", "-a", f"{wal}/.", str(disk.folder)], check=True)
        shutil.rmtree(wal)
        wal.symlink_to(disk.folder)
        server.start()
        yield server, disk
        server.stop()


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.02)


@pytest.fixture
def start(start_server: Any, rules: Path, receiver: Receiver) -> Any:
    return lambda store: start_server(rules=rules, store=store, **receiver.environ)


async def readiness(server: Any, status: int) -> str:
    """Ask until the answer has that status; returns what is said of the store then."""
    async with asyncio.timeout(10), httpx.AsyncClient() as client:
        while (answer := await client.get(f"{server.url}/health/ready")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return str(answer.json()["checks"][0].get("detail", ""))


async def out_and_back(
    start: Any,
    load_on: Any,
    receiver: Receiver,
    store: str,
    fault: Callable[[], Any],
    mend: Callable[[], Any],
) -> list[str]:
    """Bring a fault on under load, mend it, and return every broken promise."""
    server = await asyncio.to_thread(start, store)
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 50)
    await fault()
    turned_away = load.turned_away
    await until(lambda: load.turned_away > turned_away + 100)
    assert (await readiness(server, 503)).endswith("the store cannot be used now")
    heard = len(load.acknowledged)
    await mend()
    await until(lambda: len(load.acknowledged) > heard + 50)
    await readiness(server, 200)
    load.stopping = True
    await sending
    assert load.longest < 5, "no sender waited longer than Segment does"
    await end_leases(store)
    told = {code for codes in load.acknowledged.values() for code in codes}
    await until(lambda: receiver.pushed.keys() >= told)
    await asyncio.to_thread(server.stop)
    found = await kept(store)
    return violations(found, load.acknowledged, load.customers) + unsent(found, receiver.pushed)


async def test_tables_without_room_turn_senders_away_until_there_is_some(
    start: Any, load_on: Any, receiver: Receiver, tables: tuple[PostgresServer, Disk]
) -> None:
    postgres, disk = tables

    async def fill() -> None:
        await asyncio.to_thread(disk.fill)

    async def free() -> None:
        disk.free()

    found = await out_and_back(start, load_on, receiver, postgres.dsn(), fill, free)
    assert found == []


async def test_tables_without_room_are_tried_again_without_traffic(
    start: Any, load_on: Any, tables: tuple[PostgresServer, Disk]
) -> None:
    postgres, disk = tables
    server = await asyncio.to_thread(start, postgres.dsn())

    async def send(answered: str) -> None:
        load = load_on(server.url)
        sending = asyncio.create_task(load.run())
        await until(lambda: getattr(load, answered))
        sending.cancel()

    await asyncio.to_thread(disk.fill)
    for _ in range(length(1, 2)):
        await send("turned_away")
        assert (await readiness(server, 503)) == "the last commit failed: the store cannot be used now"
        await readiness(server, 200)
    disk.free()
    await send("acknowledged")
    await readiness(server, 200)


async def test_a_log_without_room_ends_postgresql_and_senders_are_turned_away_until_it_is_back(
    start: Any, load_on: Any, receiver: Receiver, log: tuple[PostgresServer, Disk]
) -> None:
    postgres, disk = log

    async def fill() -> None:
        await asyncio.to_thread(disk.fill)
        await end_by_its_log(postgres.dsn())

    async def mend() -> None:
        disk.free()
        await asyncio.to_thread(postgres.start)

    found = await out_and_back(start, load_on, receiver, postgres.dsn(), fill, mend)
    assert found == []


async def end_by_its_log(store: str) -> None:
    """Have the log go on in a new file, for which there is no room, until PostgreSQL has given up."""
    async with asyncio.timeout(10):
        while True:
            try:
                await switch_log(store)
            except ConnectionRefusedError:
                return
            except (ConnectionError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.02)


async def switch_log(store: str) -> None:
    connection = await asyncpg.connect(store)
    try:
        await connection.execute("SELECT pg_switch_wal()")
    finally:
        connection.terminate()
