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
import threading
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from adapter.store.engines import open_store
from benchmarks.postgres import PostgresServer

_ROOT = Path(__file__).parents[1]
#: No test cuts the power, so that nothing needs to be on the disk; connections are for all workers together.
_SETTINGS = ("fsync=off", "full_page_writes=off", "deadlock_timeout=100ms", "max_connections=400")
_WITH_SCHEMA = "with_schema"
_DISCONNECT = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = '{}' AND application_name <> 'kept by tests'
"""
#: A function that deletes all rows, and the migrations that tests have invented. Each connection plans its
#: statements once; to plan them takes as long as to run them fifty times.
_MAKE_EMPTY = """
DO $make$
BEGIN
  EXECUTE format(
    'CREATE FUNCTION empty_store() RETURNS void LANGUAGE plpgsql AS $empty$ BEGIN %s END $empty$',
    (SELECT string_agg(
       format('DELETE FROM %I%s;', relname,
              CASE relname WHEN 'schema_version' THEN ' WHERE number > 900' END), ' ')
     FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition));
END $make$
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


class Kept:
    """Connections to databases that are kept, in a thread of their own: in a test's an event loop may run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: dict[str, asyncpg.Connection] = {}

    def execute(self, url: str, statement: str) -> None:
        self._run(self._execute(url, statement))

    def close(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _execute(self, url: str, statement: str) -> None:
        connection = self._open.get(url)
        if connection is None or connection.is_closed():
            named = {"application_name": "kept by tests"}
            connection = self._open[url] = await asyncpg.connect(url, server_settings=named)
        await connection.execute(statement)

    async def _close(self) -> None:
        for connection in self._open.values():
            connection.terminate()


class SharedServer:
    """The server of a run, by its port on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._stores: list[str] = []
        self._kept = Kept()

    def dsn(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Yield the URL of a new, empty database."""
        url = self._create(template)
        yield url
        self._execute(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    @contextmanager
    def store(self) -> Iterator[str]:
        """Yield the URL of a database with the store's schema and no rows.

        One is used by many tests, one after the other: to empty it takes milliseconds, to create one half a
        second.
        """
        url = self._stores.pop() if self._stores else self._create(_WITH_SCHEMA)
        self._kept.execute(url, "SELECT empty_store()")
        yield url
        self._execute(_DISCONNECT.format(_name(url)))
        self._stores.append(url)

    @contextmanager
    def new_store(self) -> Iterator[str]:
        """Yield the URL of a new database with the store's schema, without statistics of its tables."""
        with self.database(_WITH_SCHEMA) as url:
            self._kept.execute(url, _NEVER_ANALYSED)
            yield url

    def close(self) -> None:
        """Close the connections of this process."""
        self._kept.close()

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.dsn(name)

    def _execute(self, statement: str) -> None:
        self._kept.execute(self.dsn(), statement)

    def make_template(self) -> None:
        """Create the database from which those with the schema are copied: migrations take half a second."""
        self._execute(f"CREATE DATABASE {_WITH_SCHEMA}")
        asyncio.run(_migrate(self.dsn(_WITH_SCHEMA)))


async def _migrate(url: str) -> None:
    store = open_store(url)
    await store.open()
    await store.close()
    connection = await asyncpg.connect(url)
    await connection.execute(_MAKE_EMPTY)
    await connection.close()


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1]


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
        SharedServer(server.port).make_template()
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        select.select([ended], [], [])


if __name__ == "__main__":
    main()
