"""Servers on one SQLite file: a second one is refused, and none acknowledges what the file does not keep."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from adapter.cli.main import commands
from adapter.store.engines import open_store
from tests.acceptance.receiver import Receiver

SERVE = [sys.executable, "-m", "adapter.cli.main", "serve", "--port", "0"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "adapter.db"


@pytest.fixture
def start(start_server: Any, rules: Path, receiver: Receiver) -> Any:
    return lambda path: start_server(rules=rules, store=f"sqlite:///{path}", **receiver.environ)


def hard_link(path: Path) -> Path:
    other = path.parent.parent / "link.db"
    other.hardlink_to(path)
    return other


def without_its_lock_file(path: Path) -> Path:
    Path(f"{path}.lock").unlink()
    return path


@pytest.fixture
def bind_mount() -> Iterator[Callable[[Path], Path]]:
    """Mounts the folder of a file, and then the file alone, where this user may."""
    mounted: list[Path] = []

    def mount(path: Path) -> Path:
        other = path.parent.parent / "mounted.db"
        other.touch()
        if subprocess.run(["mount", "--bind", path, other], capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount")
        mounted.append(other)
        return other

    yield mount
    for other in mounted:
        subprocess.run(["umount", "-l", str(other)], check=True)


COMMANDS = {
    "serve": ["serve", "--port", "0"],
    "replay": ["replay"],
    "erase": ["erase", "c1", "--yes"],
    "export": ["export", "c1"],
    "explain": ["explain", "c1"],
    "lift": ["lift", "--conversion", "order_completed"],
    "retry": ["deliveries", "--retry-all"],
    "migrate": ["store", "migrate"],
    "check": ["store", "check"],
}


@pytest.mark.parametrize("reach", [hard_link, without_its_lock_file, "bind_mount"])
async def test_every_command_that_opens_the_store_is_refused_by_whatever_name(
    start: Any, path: Path, reach: Any, request: pytest.FixtureRequest
) -> None:
    reach = request.getfixturevalue(reach) if isinstance(reach, str) else reach
    server = await asyncio.to_thread(start, path)
    other = await asyncio.to_thread(reach, path)

    async def refused(name: str) -> None:
        arguments = [*COMMANDS[name], "--store", f"sqlite:///{other}"]
        ran = await asyncio.to_thread(CliRunner().invoke, commands, arguments)
        assert ran.exit_code == 1, (name, ran.stdout)
        assert f"process {server.pid}" in ran.stderr, (name, ran.stderr)
        assert ran.stderr.count("\n") == 1, (name, ran.stderr)

    for name in COMMANDS:
        await refused(name)


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


def rename_away(path: Path) -> None:
    path.rename(path.parent / "away")


def rename_back(path: Path) -> None:
    (path.parent / "away").rename(path)


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.parent / "away")


def rename_folder_back(path: Path) -> None:
    (path.parent.parent / "away").rename(path.parent)


@pytest.mark.parametrize(("fault", "mend"), [(rename_away, rename_back), (rename_folder, rename_folder_back)])
async def test_a_server_acknowledges_nothing_until_its_file_is_back(
    start: Any, load_on: Any, path: Path, fault: Callable[[Path], None], mend: Callable[[Path], None]
) -> None:
    server = await asyncio.to_thread(start, path)
    load = load_on(server.url)
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 50)
    await asyncio.to_thread(fault, path)
    await until(lambda: load.turned_away > 20)
    heard = len(load.acknowledged)
    status, detail = await ready(server)
    assert (status, "was removed or renamed" in detail) == (503, True)
    assert str(path.parent) not in detail
    await asyncio.sleep(0.3)
    assert len(load.acknowledged) == heard
    await asyncio.to_thread(mend, path)
    await until(lambda: len(load.acknowledged) > heard + 50)
    load.stopping = True
    await sending
    assert (await ready(server))[0] == 200
    await asyncio.to_thread(server.stop)
    assert await stored(path) >= load.customers


async def stored(path: Path) -> int:
    store = open_store(f"sqlite:///{path}")
    await store.open()
    try:
        assert await store.check() == []
        return (await store.counts())["customers"]
    finally:
        await store.close()


def unlink(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    other = path.parent.parent / "other.db"
    other.write_bytes(bytes(100_000))
    subprocess.run(["cp", other, path], check=True)


def replace(path: Path) -> None:
    (path.parent / "other.db").write_bytes(bytes(100_000))
    (path.parent / "other.db").rename(path)


def cut_off(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("fault", [unlink, overwrite, replace, cut_off])
async def test_readiness_notices_a_lost_file_though_nothing_is_sent(
    start: Any, path: Path, fault: Callable[[Path], None]
) -> None:
    server = await asyncio.to_thread(start, path)
    assert (await ready(server))[0] == 200
    await asyncio.to_thread(fault, path)
    status, detail = await ready(server)
    assert status == 503
    assert detail.startswith("the store's file was ")
    body = {"type": "track", "event": "Checkout Started", "messageId": "m1", "userId": "c1"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{server.url}/webhooks/segment", json=body, timeout=10)
    assert answer.status_code == 503
    assert detail in answer.text
    await asyncio.to_thread(server.stop)
