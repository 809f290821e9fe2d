"""The started server, as an operator starts it: a process of its own, a port, a file."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.acceptance.nursery import nursery
from tests.acceptance.promises import RULES
from tests.acceptance.receiver import Receiver, receiving

ROOT = Path(__file__).parents[2]


#: Runs a command in an environment and a folder; what it returns is used like a `Popen`.
Launch = Callable[[list[str], dict[str, str], Path], Any]


def launch(command: list[str], environ: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=cwd, env=environ, stdout=subprocess.DEVNULL)


class Server:
    """One adapter process over one store; it can be killed and started again."""

    def __init__(
        self, store: str, rules: Path, environ: dict[str, str], command: list[str], launch: Launch
    ) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*command, "--port", str(self.port), "--store", store, "--rules", str(rules)]
        self._environ = {**os.environ, "ADAPTER_LOG_LEVEL": "error", **environ}
        self._launch = launch
        self._process: Any = None

    def start(self) -> None:
        self._process = self._launch(self._command, self._environ, ROOT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the server stopped while starting"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("the server did not listen within 30 seconds")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def end(self, how: signal.Signals) -> int:
        """Send a signal, wait until it has ended, and return its status as `Popen` has it."""
        self._end(how)
        return int(self._process.returncode)

    @property
    def pid(self) -> int:
        """The process's id."""
        return int(self._process.pid)

    @property
    def resident(self) -> int:
        """The memory that the process has, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def handles(self) -> int:
        """How many files, sockets and pipes it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def terminate(self) -> None:
        """Ask it to stop, and do not wait."""
        self._process.terminate()

    @property
    def workers(self) -> list[int]:
        """The processes that serve under this one, by their ids."""
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in _command_line(child)]

    def get(self, path: str) -> Any:
        answer = httpx.get(self.url + path, timeout=10)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any, **headers: str) -> Any:
        answer = httpx.post(self.url + path, json=body, headers=headers, timeout=10)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(30)


StartServer = Callable[..., Server]


@contextmanager
def _servers(folder: Path) -> Iterator[StartServer]:
    started: list[Server] = []

    def start(
        *,
        rules: Path = ROOT / "rules",
        command: list[str] | None = None,
        store: str = f"sqlite:///{folder / 'adapter.db'}",
        launch: Launch = launch,
        **environ: str,
    ) -> Server:
        serve = command or [sys.executable, "-m", "adapter.cli.main", "serve"]
        server = Server(store, rules, environ, serve, launch)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers over this test's own store; `command` replaces `adapter serve`."""
    with _servers(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def nursery_launch() -> Iterator[Launch]:
    """Starts servers fast, for tests that do it again and again: `launch=nursery_launch`."""
    with nursery() as running:
        yield running.launch


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One started server with the starter files, shared by a module's tests."""
    with _servers(tmp_path_factory.mktemp("shop")) as start:
        yield start()


class Load:
    """Senders that repeat each message until it is acknowledged, and remember what they were told.

    `turned_away` counts the 503s, `longest` is how many seconds the slowest answer took.
    Every request goes to the next of the urls, on a connection of its own, so that each may reach another
    process. Each shopper sends four messages, which may be on their way at once.
    """

    def __init__(self, *urls: str, senders: int = 16) -> None:
        self._urls = itertools.cycle(urls)
        self.acknowledged: dict[str, list[str]] = {}
        self.turned_away = 0
        self.longest = 0.0
        self.stopping = False
        self._senders = senders
        self._sent = 0

    @property
    def customers(self) -> int:
        """How many shoppers have sent something."""
        return -(-self._sent // 4)

    async def run(self) -> None:
        """Send until `stopping`, and then until what was sent is acknowledged."""
        limits = httpx.Limits(max_connections=self._senders, max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            await asyncio.gather(*(self._sender(client) for _ in range(self._senders)))

    async def _sender(self, client: httpx.AsyncClient) -> None:
        while not self.stopping:
            self._sent += 1
            await self._deliver(client, self._message(self._sent))

    async def _deliver(self, client: httpx.AsyncClient, message: dict[str, Any]) -> None:
        while True:
            try:
                asked = time.monotonic()
                answer = await client.post(f"{next(self._urls)}/webhooks/segment", json=message)
                self.longest = max(self.longest, time.monotonic() - asked)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                [result] = answer.json()["results"]
                told = [each["code"] for each in result.get("discounts", [])]
                self.acknowledged[message["messageId"]] = told
                return
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            self.turned_away += 1
            await asyncio.sleep(0.02)

    def _message(self, number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Checkout Started",
            "messageId": f"m{number}",
            "userId": f"shopper-{(number - 1) // 4}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"value": 150, "currency": "USD"},
        }


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with the rules that `promises` knows."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.yaml").write_text(RULES)
    return folder


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook endpoint that remembers what was pushed to it."""
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def load_on() -> Iterator[type[Load]]:
    """Senders to urls.

    Connections whose server was killed say so when they are collected: here, and not in another's test.
    """
    yield Load
    gc.collect()


@pytest.fixture
def postgres_store(postgres_server: Any) -> Iterator[str]:
    """A new, empty database, by its url."""
    name = f"acceptance_{uuid.uuid4().hex[:8]}"
    asyncio.run(_execute(postgres_server.dsn(), f"CREATE DATABASE {name}"))
    yield postgres_server.dsn(name)
    asyncio.run(_execute(postgres_server.dsn(), f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store of each engine."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_store"))
    return f"sqlite:///{tmp_path / 'adapter.db'}"


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""  # it has ended since it was listed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
