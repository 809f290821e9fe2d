"""What every test shares: the event loop, and a PostgreSQL server of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.postgres import PostgresServer

# A loaded machine is slow at times, and that is no fault of the code.
settings.register_profile("adapter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("adapter")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of a run; without fsync, because no test cuts the power."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(folder, "fsync=off", "full_page_writes=off", "deadlock_timeout=100ms")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
