"""The started server, as an operator starts it: a process of its own, a port, a file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

    def start(*, rules: Path = ROOT / "rules", command: list[str] | None = None, **environ: str) -> Server:
        serve = command or [sys.executable, "-m", "adapter.cli.main", "serve"]
        server = Server(f"sqlite:///{folder / 'adapter.db'}", rules, environ, serve)
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
