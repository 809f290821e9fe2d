"""The started server, as an operator starts it: a process of its own, a port, a file."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

ROOT = Path(__file__).parents[2]


class Server:
    """One adapter process over one store; it can be killed and started again."""

    def __init__(self, store: str, rules: Path, environ: dict[str, str], command: list[str]) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*command, "--port", str(self.port), "--store", store, "--rules", str(rules)]
        self._environ = {**os.environ, "ADAPTER_LOG_LEVEL": "error", **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environ, stdout=subprocess.DEVNULL
        )
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

    @property
    def resident(self) -> int:
        """The memory that the process has, in bytes."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def terminate(self) -> None:
        """Ask it to stop, and do not wait."""
        assert self._process is not None
        self._process.terminate()

    @property
    def workers(self) -> list[int]:
        """The processes that serve under this one, by their ids."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

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
        **environ: str,
    ) -> Server:
        serve = command or [sys.executable, "-m", "adapter.cli.main", "serve"]
        server = Server(store, rules, environ, serve)
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One started server with the starter files, shared by a module's tests."""
    with _servers(tmp_path_factory.mktemp("shop")) as start:
        yield start()


class Load:
    """Senders that repeat each message until it is acknowledged, and remember what they were told.

    Every request has a connection of its own, so that each may reach another process.
    """

    def __init__(self, url: str, users: int = 40, senders: int = 16) -> None:
        self.url = url
        self.users = users
        self.acknowledged: dict[str, list[str]] = {}
        self.turned_away = 0
        self.stopping = False
        self._senders = senders
        self._sent = 0

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
                answer = await client.post(f"{self.url}/webhooks/segment", json=message)
            except httpx.TransportError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200:
                [result] = answer.json()["results"]
                told = [each["code"] for each in result.get("discounts", [])]
                self.acknowledged[message["messageId"]] = told
                return
            assert answer.status_code == 503, answer.text
            self.turned_away += 1
            await asyncio.sleep(0.02)

    def _message(self, number: int) -> dict[str, Any]:
        return {
            "type": "track",
            "event": "Checkout Started",
            "messageId": f"m{number}",
            "userId": f"shopper-{number % self.users}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"value": 150, "currency": "USD"},
        }


@pytest.fixture
def load_on() -> type[Load]:
    """Senders to a url; they live here because two modules' tests have them send."""
    return Load


@pytest.fixture
def postgres_store(postgres_server: Any) -> Iterator[str]:
    """A new, empty database, by its url."""
    name = f"acceptance_{uuid.uuid4().hex[:8]}"
    asyncio.run(_execute(postgres_server.dsn(), f"CREATE DATABASE {name}"))
    yield postgres_server.dsn(name)
    asyncio.run(_execute(postgres_server.dsn(), f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
