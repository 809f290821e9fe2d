"""Several processes behind one port: caps stay exact, and one that is killed is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import msgspec
import pytest

from adapter.store.engines import open_store

#: A connection whose server was killed is closed by the garbage collector, which says so.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

USERS = 40
PER_USER = 2
CAP = 60
RULE = f"""
name: shared
trigger: checkout_started
conditions:
  all:
    - cart_value >= 1
action: {{type: percentage_off, value: 10, expires_in_hours: 24}}
guardrails: {{max_daily_redemptions: {CAP}, per_user_limit: {PER_USER}, stackable: true}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "shared.yaml").write_text(RULE)
    return folder


@pytest.fixture
def shop(start_server: Any, postgres_store: str, pushed: tuple[str, Counter[str]], rules: Path) -> Any:
    """Two processes over one database, which push to `pushed`."""
    return start_server(
        rules=rules, store=postgres_store, ADAPTER_SERVER_WORKERS="2",
        ADAPTER_DESTINATIONS_WEBHOOK_URL=pushed[0],
        ADAPTER_DESTINATIONS_WEBHOOK_ALLOW_PRIVATE_ADDRESSES="true",
        ADAPTER_DESTINATIONS_WEBHOOK_SECRETS="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )  # fmt: skip


@pytest.fixture
def pushed() -> Iterator[tuple[str, Counter[str]]]:
    """A receiver's url, and how often each code came in."""
    codes: Counter[str] = Counter()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            codes[msgspec.json.decode(body)["data"]["code"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", codes
    server.shutdown()
    server.server_close()


async def violations(url: str, acknowledged: dict[str, list[str]]) -> list[str]:
    """Return every broken promise found in the store, against what the senders were told."""
    store = open_store(url)
    await store.open()
    stored: Counter[str] = Counter()
    found, codes = await store.check(), set()
    for number in range(USERS):
        stored.update(event.id for event in await store.events(f"shopper-{number}", 100_000))
        held = await store.discounts(f"shopper-{number}", 100_000)
        codes |= {each.discount.code for each in held}
        if len(held) > PER_USER:
            found.append(f"shopper-{number} was given {len(held)}")
    await store.close()
    found += [f"acknowledged and lost: {name}" for name in acknowledged if name not in stored]
    found += [f"stored {count} times: {name}" for name, count in stored.items() if count > 1]
    told = {code for each in acknowledged.values() for code in each}
    found += [f"told a code that is not kept: {code}" for code in told - codes]
    if len(codes) != CAP:
        found.append(f"{len(codes)} discounts for a cap of {CAP}")
    return found


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows no event
            await asyncio.sleep(0.05)


async def test_two_processes_keep_caps_exact_and_push_each_discount_once(
    shop: Any, load_on: Any, pushed: tuple[str, Counter[str]], postgres_store: str
) -> None:
    await until(lambda: len(shop.workers) == 2)
    load = load_on(shop.url, USERS)
    sending = asyncio.create_task(load.run())
    await asyncio.sleep(3)
    load.stopping = True
    await sending
    await until(lambda: len(pushed[1]) == CAP)
    await asyncio.to_thread(shop.stop)
    assert await violations(postgres_store, load.acknowledged) == []
    assert set(pushed[1].values()) == {1}


async def test_a_process_that_is_killed_is_replaced_and_the_service_goes_on(
    shop: Any, load_on: Any, postgres_store: str
) -> None:
    await until(lambda: len(shop.workers) == 2)
    load = load_on(shop.url, USERS)
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
    assert await violations(postgres_store, load.acknowledged) == []


async def test_the_checker_catches_a_server_that_counts_wrongly(
    start_server: Any, load_on: Any, postgres_store: str, rules: Path
) -> None:
    command = [sys.executable, str(Path(__file__).parent / "variants.py"), "read-then-write"]
    broken = await asyncio.to_thread(lambda: start_server(rules=rules, store=postgres_store, command=command))
    load = load_on(broken.url, USERS)
    sending = asyncio.create_task(load.run())
    await until(lambda: len(load.acknowledged) > 200)
    load.stopping = True
    await sending
    await asyncio.to_thread(broken.stop)
    load.acknowledged["never-sent"] = []
    found = await violations(postgres_store, load.acknowledged)
    assert any(each.endswith(f"discounts for a cap of {CAP}") for each in found), found
    assert "acknowledged and lost: never-sent" in found


async def test_processes_end_with_the_one_that_started_them(shop: Any) -> None:
    await until(lambda: len(shop.workers) == 2)
    workers = shop.workers
    shop.kill()
    await until(lambda: not any(alive(pid) for pid in workers))


async def test_all_end_in_order_on_a_signal(shop: Any) -> None:
    await until(lambda: len(shop.workers) == 2)
    workers = shop.workers
    await asyncio.to_thread(shop.stop)
    assert not any(alive(pid) for pid in workers)
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{shop.url}/health/live")


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_greeting_is_printed_once(postgres_store: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--workers", "2", "--port", "0"]
    with (tmp_path / "out").open("w+") as out:
        process = subprocess.Popen([*command, "--store", postgres_store], stdout=out)
        time.sleep(4)
        process.terminate()
        process.wait(20)
        out.seek(0)
        assert out.read().count("Listening on") == 1


def test_a_store_that_cannot_be_opened_is_told_once() -> None:
    command = [sys.executable, "-m", "adapter.cli.main", "serve", "--workers", "2", "--port", "0"]
    store = "postgresql://nobody@127.0.0.1:1/none"
    ran = subprocess.run(
        [*command, "--store", store], capture_output=True, text=True, timeout=30, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("adapter: ")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""
