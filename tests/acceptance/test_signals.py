"""Signals to a started server: what ends it, how it then exits, and what has it read its files again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import own_process

COMMAND = [sys.executable, "-m", "adapter.cli.main", "serve"]


def eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60  # a process takes seconds to start, on a loaded machine ten
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about within a minute"
        time.sleep(0.2)


@pytest.fixture
def start(request: pytest.FixtureRequest, start_server: Any) -> Callable[[int], Any]:
    """Start a server of so many processes."""

    def started(workers: int) -> Any:
        if workers == 1:
            return start_server(launch=own_process)
        store = request.getfixturevalue("postgres_store")
        server = start_server(store=store, launch=own_process, ADAPTER_SERVER_WORKERS=str(workers))
        eventually(lambda: len(server.workers) == workers, "all processes")
        return server

    return started


def handles_hang_ups(process: int) -> bool:
    """Return whether a process has a handler for SIGHUP, without which that would end it."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    [caught] = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
    return bool(int(caught, 16) & 1 << (signal.SIGHUP - 1))


def reloads(server: Any) -> float:
    """Return how often files were read again."""
    told = httpx.get(f"{server.url}/metrics").text.splitlines()
    counted = [line for line in told if line.startswith('adapter_reloads_total{outcome="taken"}')]
    return float(counted[0].rsplit(" ", 1)[1]) if counted else 0.0


@pytest.mark.parametrize(
    ("workers", "how", "expected"),
    [
        (1, signal.SIGTERM, -signal.SIGTERM),
        (1, signal.SIGINT, 0),
        (2, signal.SIGTERM, 0),
        (2, signal.SIGINT, 0),
    ],
)
def test_a_server_ends_with_the_status_that_is_documented(
    start: Callable[[int], Any], workers: int, how: signal.Signals, expected: int
) -> None:
    server = start(workers)
    processes = server.workers
    assert server.end(how) == expected
    assert not any(Path(f"/proc/{process}").exists() for process in processes)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health/live")


def test_a_hang_up_has_one_process_read_its_files_again_and_serve_on(start: Callable[[int], Any]) -> None:
    server = start(1)
    for times in (1, 2):
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda times=times: reloads(server) == times, "the reload")  # type: ignore[misc]
    assert server.end(signal.SIGTERM) == -signal.SIGTERM


def test_a_hang_up_has_several_processes_replaced_one_by_one_while_the_service_goes_on(
    start: Callable[[int], Any],
) -> None:
    server = start(2)
    before = set(server.workers)
    os.kill(server.pid, signal.SIGHUP)

    def replaced() -> bool:
        assert httpx.get(f"{server.url}/health/live").status_code == 200
        return len(server.workers) == 2 and not before & set(server.workers)

    eventually(replaced, "two new processes")


def test_a_hang_up_of_one_of_several_processes_has_it_read_its_files_again(
    start: Callable[[int], Any],
) -> None:
    server = start(2)
    eventually(lambda: httpx.get(f"{server.url}/health/ready").status_code == 200, "readiness")
    workers = server.workers
    eventually(lambda: all(handles_hang_ups(worker) for worker in workers), "the handlers of both")
    for worker in workers:
        os.kill(worker, signal.SIGHUP)
    eventually(lambda: reloads(server) == 2, "both reloads")
    assert server.workers == workers


def test_an_unreadable_certificate_is_reported_before_several_processes_start() -> None:
    environ = {**os.environ, "ADAPTER_MPARTICLE_OPENDSR_CERTIFICATE": "nowhere.pem"}
    store = "postgresql://nobody@127.0.0.1:1/none"
    command = [*COMMAND, "--workers", "2", "--port", "0", "--store", store]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("nowhere.pem:1:1: `mparticle.opendsr_certificate` cannot be read")
