"""What every test shares: the event loop, and a PostgreSQL server of its own."""

from __future__ import annotations

import os
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


TESTS = Path(__file__).parent

# What a developer has exported is for their own server: no test reads it, nor a server that a test starts.
for _name in [name for name in os.environ if name.startswith(("ADAPTER_", "PG"))]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start servers or PostgreSQL: `scripts/test --quick` leaves them out."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] == "acceptance":
            item.add_marker(pytest.mark.process)
        if _needs_postgres(item):
            item.add_marker(pytest.mark.postgres)


def _needs_postgres(item: pytest.Item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "postgres" in parameters or any("postgres" in name for name in getattr(item, "fixturenames", ()))


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
