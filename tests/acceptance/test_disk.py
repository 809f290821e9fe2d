"""The file's disk full, the file locked or read-only: 503 or a clear refusal to start, and nothing lost."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.disks import Disk, mounted
from tests.acceptance.invariants import kept, unsent, violations
from tests.acceptance.receiver import Receiver

SERVE = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", "0"]
#: Root may do what file modes forbid by this capability; the number that drops it for good (prctl(2)).
_CAP_DAC_OVERRIDE, _PR_CAPBSET_DROP = 1, 24


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "adapter.db"


@pytest.fixture
def start(start_server: Any, rules: Path, receiver: Receiver) -> Any:
    return lambda path: start_server(rules=rules, store=f"sqlite:///{path}", **receiver.environ)


async def ready(server: Any) -> tuple[int, str]:
    """Return readiness, and what it says of the store."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.url}/health/ready", timeout=10)
    [store] = [check for check in answer.json()["checks"] if check["name"] == "store"]
    return answer.status_code, store.get("detail", "")


async def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.02)


async def until_readiness_says(server: Any, end: str, seconds: float = 30) -> None:
    """Ask until readiness says so; on a busy machine it may first say that the store is slow."""
    said: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            while not said or not said[-1].endswith(end):
                status, detail = await ready(server)
                assert status == 503
                said.append(detail)
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"readiness never said {end!r}, but {sorted(set(said))}")


async def out_and_back(
    server: Any, load: Any, path: Path, receiver: Receiver, fault: Callable[[], Any], mend: Callable[[], Any]
) -> list[str]:  # fmt: skip
    """Bring a fault on under load, mend it, and return every broken promise."""
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 50)
    fault()
    await until(lambda: load.turned_away > 20)
    await until_readiness_says(server, "the store cannot be used now")
    heard = len(load.acknowledged)
    await asyncio.sleep(0.5)
    assert len(load.acknowledged) == heard, "nothing is acknowledged that cannot be kept"
    mend()
    await until(lambda: len(load.acknowledged) > heard + 50)
    assert (await ready(server))[0] == 200
    load.stopping = True
    await sending
    told = {code for codes in load.acknowledged.values() for code in codes}
    await until(lambda: receiver.pushed.keys() >= told)
    await asyncio.to_thread(server.stop)
    assert load.longest < 5, "no sender waited longer than Segment does"
    found = await kept(f"sqlite:///{path}")
    return violations(found, load.acknowledged, load.customers) + unsent(found, receiver.pushed)


async def test_a_file_that_may_not_grow_turns_senders_away_until_it_may(
    start: Any, load_on: Any, path: Path, receiver: Receiver
) -> None:
    server = await asyncio.to_thread(start, path)

    def limit(size: int) -> None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    load = load_on(server.url)
    found = await out_and_back(
        server, load, path, receiver,
        lambda: limit(Path(f"{path}-wal").stat().st_size),
        lambda: limit(resource.RLIM_INFINITY),
    )  # fmt: skip
    assert found == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of eight megabytes."""
    with mounted(tmp_path / "disk", 8) as disk:
        yield disk


async def test_a_full_disk_turns_senders_away_until_there_is_room(
    start: Any, load_on: Any, small_disk: Disk, receiver: Receiver
) -> None:
    path = small_disk.folder / "adapter.db"
    server = await asyncio.to_thread(start, path)
    found = await out_and_back(
        server, load_on(server.url), path, receiver,
        small_disk.fill, lambda: small_disk.grow(200),
    )  # fmt: skip
    assert found == []


async def test_a_file_locked_by_another_program_turns_senders_away_until_it_lets_go(
    start: Any, load_on: Any, path: Path, receiver: Receiver
) -> None:
    server = await asyncio.to_thread(start, path)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as other:
        found = await out_and_back(
            server, load_on(server.url), path, receiver,
            lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("ROLLBACK"),
        )  # fmt: skip
    assert found == []


def obey_file_modes() -> None:
    """Make root of the next program a user like any other where files are concerned."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def refused(store: str, before: Callable[[], None] = obey_file_modes) -> str:
    """Start a server that cannot start, and return the sentence that it says."""
    ran = subprocess.run(
        [*SERVE, "--store", store], capture_output=True, text=True, timeout=30, check=False, preexec_fn=before
    )
    assert ran.returncode == 1
    assert ran.stdout == "", "it does not claim to listen"
    assert ran.stderr.startswith("adapter: the store ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


def test_a_store_that_another_process_serves_is_refused_at_the_start(start_server: Any, path: Path) -> None:
    start_server(store=f"sqlite:///{path}")
    assert "stop that process, or use a postgresql:// store" in refused(f"sqlite:///{path}")


@pytest.mark.parametrize("new", [True, False])
def test_a_store_that_another_program_has_locked_is_refused_at_the_start(
    start_server: Any, path: Path, new: bool
) -> None:
    if not new:
        start_server(store=f"sqlite:///{path}").stop()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "another program has it locked: let that program finish" in refused(f"sqlite:///{path}")


def test_a_store_that_can_only_be_read_is_refused_at_the_start(start_server: Any, path: Path) -> None:
    start_server(store=f"sqlite:///{path}").stop()
    path.chmod(0o444)
    assert "make the file and its folder writable for this user" in refused(f"sqlite:///{path}")


def test_a_folder_that_can_only_be_read_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir(0o555)
    store = f"sqlite:///{tmp_path}/sealed/adapter.db"
    assert "name a file in a folder that exists and is writable for this user" in refused(store)


def test_a_disk_without_room_is_refused_at_the_start(path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    assert "see the disk's and the system's logs" in refused(f"sqlite:///{path}", no_room)


def test_a_database_that_is_not_there_is_refused_at_the_start() -> None:
    assert "see that the database runs" in refused("postgresql://nobody@127.0.0.1:1/none")
