"""One cluster for all tests, whole when each of them begins; a database and two adapters for each."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.acceptance.conftest import Server, own_process
from tests.cluster.checker import RULE
from tests.cluster.cluster import Cluster

_LINES = pytest.StashKey[list[str]]()
#: A destination that cannot be reached, so that every delivery stays in the outbox to be counted.
_OUTBOX = {
    "ADAPTER_DESTINATIONS_WEBHOOK_URL": "https://shop.invalid/hook",
    "ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.fixture(scope="session")
def machines(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three machines in a folder that goes with them, unless a test has failed: it has their logs."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-cluster-"))
    cluster = Cluster(folder)
    # Whoever stops the tests stops the machines too.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield cluster
    finally:
        cluster.stop()
        signal.signal(signal.SIGTERM, before)
        if request.session.testsfailed:
            _lines(request.config).append(f"what the machines logged is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cluster(machines: Cluster) -> Cluster:
    """Three machines, all of them up."""
    machines.mend()
    return machines


@pytest.fixture
def database(cluster: Cluster) -> str:
    """The name of a new, empty database."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    asyncio.run(_create(cluster.leader().dsn("postgres"), name))
    return name


@pytest.fixture
def start_adapter(cluster: Cluster, database: str, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start adapters over the cluster; `command` replaces `adapter serve`."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "shared.yaml").write_text(RULE)
    started: list[Server] = []

    def start(*command: str) -> Server:
        serve = [sys.executable, *(command or ("-m", "adapter.cli.main", "serve"))]
        server = Server(cluster.dsn(database), tmp_path / "rules", _OUTBOX, serve, own_process)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say something at the end of the run."""
    return _lines(request.config).append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what the tests have measured."""
    for line in _lines(config):
        terminalreporter.write_line(line)


def _lines(config: pytest.Config) -> list[str]:
    return config.stash.setdefault(_LINES, [])


async def _create(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
