"""The started server, as an operator starts it: a process of its own, a port, a file."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.fork_server import fork_server
from tests.acceptance.invariants import RULES
from tests.acceptance.load import Load
from tests.acceptance.receiver import Receiver, receiving
from tests.databases import SharedServer

ROOT = Path(__file__).parents[2]


#: Runs a command in an environment and a folder; what it returns is used like a `Popen`.
Launch = Callable[[list[str], dict[str, str], Path], Any]


def own_process(command: list[str], environ: dict[str, str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start a program as an operator does, with an exit status to be read."""
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
        deadline = time.monotonic() + 90  # two processes need more than 30 on a loaded machine
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the server stopped while starting"
            with socket.socket() as probe:
                connected = probe.connect_ex(("127.0.0.1", self.port)) == 0
                # Where nothing listens yet, a probe from the very port that it probes connects to itself.
                if connected and probe.getsockname() != probe.getpeername():
                    return
            time.sleep(0.02)
        pytest.fail("the server did not listen within 90 seconds")

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
def servers(folder: Path, forked: Launch) -> Iterator[StartServer]:
    """Start servers over a store in a folder, and kill them all at the end.

    `adapter serve` is forked, in half the time, unless a test passes `launch=own_process`.
    """
    started: list[Server] = []

    def start(
        *,
        rules: Path = ROOT / "rules",
        command: list[str] | None = None,
        store: str = f"sqlite:///{folder / 'adapter.db'}",
        launch: Launch | None = None,
        **environ: str,
    ) -> Server:
        serve = command or [sys.executable, "-m", "adapter.cli.main", "serve"]
        launch = launch or (own_process if command else forked)
        server = Server(store, rules, environ, serve, launch)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def start_server(tmp_path: Path, fork_launch: Launch) -> Iterator[StartServer]:
    """Start servers over this test's own store; `command` replaces `adapter serve`."""
    with servers(tmp_path, fork_launch) as start:
        yield start


@pytest.fixture(scope="session")
def fork_launch() -> Iterator[Launch]:
    """Starts programs fast: forked from a process that has imported all modules."""
    with fork_server() as running:
        yield running.launch


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, fork_launch: Launch) -> Iterator[Server]:
    """One started server with the starter files, shared by a module's tests."""
    with servers(tmp_path_factory.mktemp("shop"), fork_launch) as start:
        # Some messages are of long ago: no sweep may remove their events before they are read.
        yield start(ADAPTER_RETENTION_EVENT_DAYS="0")


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
def postgres_store(postgres_server: SharedServer) -> Iterator[str]:
    """A database with the store's schema and no rows, by its URL."""
    with postgres_server.store() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store of each engine."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_store"))
    return f"sqlite:///{tmp_path / 'adapter.db'}"


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""  # it has ended since it was listed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
