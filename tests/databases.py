"""The PostgreSQL server that all workers of a run share, and databases on it.

The worker that needs it first starts this file as a program, the keeper: it starts the server, and stops it
when the run's own process has ended, however that ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from adapter.store.engines import open_store
from benchmarks.postgres import PostgresServer

_ROOT = Path(__file__).parents[1]
#: No test cuts the power, so that nothing needs to be on the disk; connections are for all workers together.
_SETTINGS = ("fsync=off", "full_page_writes=off", "deadlock_timeout=100ms", "max_connections=400")
_WITH_SCHEMA = "with_schema"
_DISCONNECT = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'"
#: Delete all rows, and the migrations that tests have invented.
_EMPTY = """
DO $$
DECLARE emptied text;
BEGIN
  FOR emptied IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_version'
  LOOP EXECUTE format('DELETE FROM %I', emptied); END LOOP;
END $$;
DELETE FROM schema_version WHERE number > 900
"""
#: Keep the server from analysing tables by itself.
_NEVER_ANALYSED = """
DO $$
DECLARE each text;
BEGIN
  FOR each IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  LOOP EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', each); END LOOP;
END $$
"""


class SharedServer:
    """The server of a run, by its port on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._stores: list[str] = []

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a new, empty database."""
        url = self._create("template1")
        yield url
        self._execute(self.dsn(), f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    @contextmanager
    def store(self) -> Iterator[str]:
        """Yield the URL of a database with the store's schema and no rows.

        One is used by many tests, one after the other: to empty it takes 20 ms, to create one half a second.
        """
        url = self._stores.pop() if self._stores else self._create(_WITH_SCHEMA)
        self._execute(url, _EMPTY)
        yield url
        self._execute(self.dsn(), _DISCONNECT.format(_name(url)))
        self._stores.append(url)

    @contextmanager
    def new_store(self) -> Iterator[str]:
        """Yield the URL of a new database with the store's schema, without statistics of its tables."""
        url = self._create(_WITH_SCHEMA)
        self._execute(url, _NEVER_ANALYSED)
        yield url
        self._execute(self.dsn(), f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._execute(self.dsn(), f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.dsn(name)

    def _execute(self, url: str, statement: str) -> None:
        # In another thread: in this one a test's event loop may be running.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _execute(url, statement)).result()

    async def make_template(self) -> None:
        """Create the database from which those with the schema are copied: migrations take half a second."""
        await _execute(self.dsn(), f"CREATE DATABASE {_WITH_SCHEMA}")
        store = open_store(self.dsn(_WITH_SCHEMA))
        await store.open()
        await store.close()


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1]


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def shared_server(folder: Path, run: int) -> SharedServer:
    """Return the server of the run that has this folder and this process; the first who asks starts it."""
    with (folder / "postgres.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        port = lock.read()
        if not port:
            port = _start_keeper(run)
            lock.write(port)
    return SharedServer(int(port))


@contextmanager
def running_server(*settings: str) -> Iterator[PostgresServer]:
    """Run a server in a folder that goes with it; another user than this one may have to enter that."""
    folder = Path(tempfile.mkdtemp(prefix="adapter-postgres-"))
    folder.chmod(0o755)
    try:
        server = PostgresServer(folder, *settings)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_keeper(run: int) -> str:
    """Start the keeper, out of reach of the terminal's Ctrl-C, and return the port once all is ready."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.databases", str(run)],
        stdout=subprocess.PIPE, text=True, cwd=_ROOT, start_new_session=True,
    )  # fmt: skip
    assert keeper.stdout is not None
    with keeper.stdout as told:
        port = told.readline().strip()
    assert port, "the keeper could not start PostgreSQL: see its traceback above"
    keeper.returncode = 0  # it outlives this process, which must not be warned of that
    return port


def main() -> None:
    """Keep the server of a run until the run's process has ended."""
    ended = os.pidfd_open(int(sys.argv[1]))
    with running_server(*_SETTINGS) as server:
        asyncio.run(SharedServer(server.port).make_template())
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        select.select([ended], [], [])


if __name__ == "__main__":
    main()
