"""What all tests share: the event loop, the markers, and PostgreSQL."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import asyncpg
import httpx
import pytest
from httpx._transports import default
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from benchmarks.postgres import PostgresServer
from tests import scheduling
from tests.databases import SharedServer, running_server, shared_server
from tests.length import LONG
from tests.temporary import in_memory

# Nothing that a collection makes is garbage: to look for some takes a third of it.
gc.disable()

# A loaded machine is slow at times, and that is no fault of the code.
settings.register_profile(
    "adapter", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
settings.load_profile("adapter")

TESTS = Path(__file__).parent

# Stores of tests are in memory, where a commit takes microseconds: no test cuts the power.
in_memory()

# httpx makes a TLS context for each client, also for plain HTTP, which takes longer than ten requests.
for _module in (httpx, default):
    vars(_module)["create_ssl_context"] = cache(httpx.create_ssl_context)

# What a developer has exported is for their own server: no test reads it, nor a server that a test starts.
for _name in [name for name in os.environ if name.startswith(("ADAPTER_", "PG"))]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `scripts/test --quick` leaves out: tests that start servers, or PostgreSQL; sort."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] == "acceptance":
            item.add_marker(pytest.mark.process)
        if _needs_postgres(item):
            item.add_marker(pytest.mark.postgres)
        if item.get_closest_marker("long") and not LONG:
            item.add_marker(pytest.mark.skip("run it with scripts/test --long"))
    items.sort(key=scheduling.place)


def pytest_collection_finish() -> None:
    """Leave what lives to the end, tests and imported modules, out of later garbage collections."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> scheduling.WholeFiles:
    """Schedule whole files in the order of collection; pytest-xdist would sort them by their tests."""
    config.option.loadscopereorder = False
    return scheduling.WholeFiles(config, log)


def _needs_postgres(item: pytest.Item) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "postgres" in parameters or any(
        "postgres" in name or "mortal" in name for name in getattr(item, "fixturenames", ())
    )


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what a command that ran in the process of the tests has set: its handler has a closed stream."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedServer]:
    """The PostgreSQL server of the run, which its workers share: tests have databases of their own on it."""
    folder = tmp_path_factory.getbasetemp()
    worker = hasattr(request.config, "workerinput")
    server = shared_server(folder.parent, os.getppid()) if worker else shared_server(folder, os.getpid())
    yield server
    server.close()


@pytest.fixture
def new_postgres(postgres_server: SharedServer) -> Iterator[str]:
    """A new, empty database, by its URL."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: SharedServer) -> Iterator[str]:
    """A database with the store's schema and no rows."""
    with postgres_server.store() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty store of each engine."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'adapter.db'}"


@pytest.fixture(scope="session")
def mortal_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the tests that kill it, or change its settings."""
    # Without fsync: what a killed server wrote, the system still has.
    with running_server("fsync=off", "full_page_writes=off", "shared_buffers=16MB") as server:
        yield server


@pytest.fixture
async def mortal_database(mortal_postgres: PostgresServer) -> str:
    """A new, empty database on the server that may be killed, by its URL."""
    connection = await asyncpg.connect(mortal_postgres.dsn())
    await connection.execute("DROP DATABASE IF EXISTS store_mortal WITH (FORCE)")
    await connection.execute("CREATE DATABASE store_mortal")
    await connection.close()
    return mortal_postgres.dsn("store_mortal")
