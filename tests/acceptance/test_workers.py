"""Several processes behind one port: caps stay exact, and one that is killed is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import own_process
from tests.acceptance.invariants import CAP, kept, unsent, violations
from tests.acceptance.receiver import Receiver

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def shop(start_server: Any, postgres_store: str, receiver: Receiver, rules: Path) -> Any:
    """Two processes over one database, which push to `receiver`."""
    return start_server(
        rules=rules, store=postgres_store, launch=own_process, ADAPTER_SERVER_WORKERS="2", **receiver.environ
    )


async def broken_promises(store: str, load: Any) -> list[str]:
    return violations(await kept(store), load.acknowledged, load.customers)


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what comes about; a loaded machine takes ten times as long as an idle one."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.05)


async def test_two_processes_keep_caps_exact_and_push_each_discount_once(
    shop: Any, load_on: Any, receiver: Receiver, postgres_store: str
) -> None:
    await until(lambda: len(shop.workers) == 2)
    load = load_on(shop.url)
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 600)
    load.stopping = True
    await sending
    await until(lambda: len(receiver.pushed) == CAP + load.customers)
    await asyncio.to_thread(shop.stop)
    assert await broken_promises(postgres_store, load) == []
    assert unsent(await kept(postgres_store), receiver.pushed) == []
    assert all(ids.total() == 1 for ids in receiver.pushed.values())


async def test_a_process_that_is_killed_is_replaced_and_the_service_goes_on(
    shop: Any, load_on: Any, postgres_store: str
) -> None:
    await until(lambda: len(shop.workers) == 2)
    load = load_on(shop.url)
    sending = asyncio.create_task(load.run())
    for _ in range(3):
        await asyncio.sleep(0.5)
        before = shop.workers
        acknowledged = len(load.acknowledged)
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: len(load.acknowledged) > acknowledged + 20)  # noqa: B023 - awaited at once
        await until(lambda: len(set(shop.workers) - {before[0]}) == 2)  # noqa: B023
    load.stopping = True
    await sending
    await asyncio.to_thread(shop.stop)
    assert await broken_promises(postgres_store, load) == []


async def test_a_process_that_dies_during_a_health_check_is_replaced(shop: Any) -> None:
    await until(lambda: len(shop.workers) == 2)
    frozen = shop.workers[0]
    os.kill(frozen, signal.SIGSTOP)
    await asyncio.sleep(1)  # by now it was asked, and owes an answer
    os.kill(frozen, signal.SIGKILL)
    await until(lambda: len(set(shop.workers) - {frozen}) == 2, seconds=20)  # uvicorn's own: 30


async def test_metrics_of_any_process_include_all_processes_and_dead_ones(shop: Any) -> None:
    def taken() -> set[float]:
        """Ask over new connections, which reach one process or the other."""
        told = [httpx.get(f"{shop.url}/metrics").text for _ in range(12)]
        if not all("adapter_waiting_messages 0.0" in each for each in told):
            return set()  # a process is up to a second behind
        return {
            float(line.rsplit(" ", 1)[1])
            for each in told
            for line in each.splitlines()
            if line.startswith('adapter_messages_total{outcome="processed",source="segment"}')
        }

    async def come_to_tell_of_all_30() -> None:
        """Wait for the process that is not asked, which is up to a second behind."""
        async with asyncio.timeout(20):
            while await asyncio.to_thread(taken) != {30}:  # noqa: ASYNC110
                await asyncio.sleep(0.2)

    await until(lambda: len(shop.workers) == 2)
    for number in range(30):
        call = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": f"m{number}"}
        await asyncio.to_thread(shop.post, "/webhooks/segment", call)
    await come_to_tell_of_all_30()
    lost = shop.workers[0]
    os.kill(lost, signal.SIGKILL)
    await until(lambda: len(set(shop.workers) - {lost}) == 2)
    await come_to_tell_of_all_30()


async def test_the_checker_catches_a_server_that_counts_wrongly(
    start_server: Any, load_on: Any, postgres_store: str, rules: Path
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), "read-then-write"]
    broken = await asyncio.to_thread(lambda: start_server(rules=rules, store=postgres_store, command=command))
    load = load_on(broken.url)
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 600)
    load.stopping = True
    await sending
    await asyncio.to_thread(broken.stop)
    load.acknowledged["never-sent"] = []
    found = await broken_promises(postgres_store, load)
    assert any(each.endswith(f"discounts for a cap of {CAP}") for each in found), found
    assert "acknowledged and lost: never-sent" in found


async def test_processes_end_with_the_one_that_started_them(shop: Any) -> None:
    await until(lambda: len(shop.workers) == 2)
    workers = shop.workers
    shop.kill()
    await until(lambda: not any(alive(pid) for pid in workers))


async def test_a_start_removes_the_files_of_a_killed_server_and_none_of_a_running_one(
    start_server: Any, postgres_store: str, rules: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    async def start() -> Any:
        return await asyncio.to_thread(
            lambda: start_server(
                rules=rules,
                store=postgres_store,
                launch=own_process,
                ADAPTER_SERVER_WORKERS="2",
                TMPDIR=str(temporary),
            )
        )

    lives, killed = await start(), await start()
    await until(lambda: len(lives.workers) == len(killed.workers) == 2)
    workers = killed.workers
    of_both = {*temporary.glob("adapter-metrics-*")}
    killed.kill()
    await until(lambda: not any(alive(pid) for pid in workers))
    assert {*temporary.glob("adapter-metrics-*")} == of_both
    started = await start()
    after = {*temporary.glob("adapter-metrics-*")}
    assert (len(of_both), len(after), len(of_both & after)) == (2, 2, 1)
    for server in (lives, started):
        answer = await asyncio.to_thread(httpx.get, f"{server.url}/metrics")
        assert "adapter_waiting_messages 0.0" in answer.text
        await asyncio.to_thread(server.stop)
    assert list(temporary.glob("adapter-metrics-*")) == []


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def composed(folder: Path) -> set[str]:
    """Return the processes that have files of metrics."""
    return {path.stem.rsplit("_", 1)[1] for path in folder.glob("adapter-metrics-*/*.db")}


def test_the_greeting_is_printed_once_for_all_processes(postgres_store: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--workers", "2", "--port", "0"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "out").open("w+") as out:
        with subprocess.Popen([*command, "--store", postgres_store], stdout=out, env=environ) as process:
            try:
                # Each process has files of metrics once it is composed; it would have printed before.
                asyncio.run(until(lambda: len(composed(tmp_path)) == 2))
            finally:
                process.terminate()
        out.seek(0)
        assert out.read().count("Listening on") == 1


def test_a_store_that_cannot_be_opened_is_reported_once_for_all_processes() -> None:
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--workers", "2", "--port", "0"]
    store = "postgresql://nobody@127.0.0.1:1/none"
    ran = subprocess.run(
        [*command, "--store", store], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("adapter: ")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""
