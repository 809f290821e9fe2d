"""What only the embedded engine has: its file, its lock, its disk."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from adapter.errors import Unavailable
from adapter.model.counter_key import CounterKey
from adapter.settings.values import Settings
from adapter.store.engines import open_store
from adapter.store.migrations import Migration
from adapter.store.sqlite.engine import SqliteStore
from adapter.store.sqlite.migrate import applied, migrate
from adapter.store.sqlite.statements import MIGRATIONS
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest


def connection_of(store: SqliteStore) -> apsw.Connection:
    assert store._connection is not None
    return store._connection


async def open_and_close(path: Path) -> None:
    store = SqliteStore(str(path))
    await store.open()
    await store.ping()
    await store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "adapter.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(str(path))
    await store.open()
    yield store
    await store.close()


async def test_committed_rows_are_there_after_reopening(
    store: SqliteStore, path: Path, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c1")], counters={("", "k"): 3})
    await store.close()
    await store.open()
    assert await store.customer("c1") == make.customer("c1").customer
    assert await run.used(("", "k")) == {("", "k"): 3}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_the_file_and_its_side_files_are_readable_by_their_owner_only(
    tmp_path: Path, umask: int
) -> None:
    folder = tmp_path / "new"
    await asyncio.to_thread(folder.mkdir)
    before = os.umask(umask)
    try:
        store = SqliteStore(str(folder / "adapter.db"))
        await store.open()
        await store.counts()
        await store.back_up(folder / "backup.db")
        modes = await asyncio.to_thread(
            lambda: {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}
        )
        await store.close()
    finally:
        os.umask(before)
    names = ["adapter.db", "adapter.db-shm", "adapter.db-wal", "adapter.db.lock", "backup.db"]
    assert modes == dict.fromkeys(names, "0o600")


async def test_a_second_store_on_the_file_is_refused_with_the_remedy(store: SqliteStore, path: Path) -> None:
    with pytest.raises(Unavailable, match=r"in use by process \d+: stop that process, or use a postgresql"):
        await open_store(f"sqlite:///{path}").open()


async def test_a_link_to_the_file_is_the_file(store: SqliteStore, path: Path) -> None:
    link = path.parent / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    with pytest.raises(Unavailable, match="in use by process"):
        await SqliteStore(str(link)).open()


@pytest.mark.process
def test_another_process_holds_the_file_until_it_dies(path: Path) -> None:
    code = (
        "import asyncio, sys\nfrom adapter.store.sqlite.engine import SqliteStore\n"
        "asyncio.run(SqliteStore(sys.argv[1]).open())\nprint('open', flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(Unavailable, match=f"in use by process {holder.pid}"):
            asyncio.run(open_and_close(path))
        holder.kill()
        holder.wait()
        asyncio.run(open_and_close(path))


_SENDER = """
import asyncio, sys
from datetime import UTC, datetime
from adapter.store.values import (Changes, LoadRequest)
from adapter.store.sqlite.engine import SqliteStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)

async def main(path, first):
    store = SqliteStore(path)
    await store.open()

    async def send(number):
        async def script(transaction):
            key = ("s", str(number))
            fresh = key not in (await transaction.load(LoadRequest(messages=[key]), NOW)).answers
            counters = {("", "k"): 1} if fresh else {}
            await transaction.save(Changes(NOW, {}, [], {}, [], [], [], [], counters, [], [], []))
        await store.transact(script)
        print(number, flush=True)

    number = first
    while True:
        await asyncio.gather(*(send(number + each) for each in range(16)))
        number += 16

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.process
def test_acknowledged_messages_survive_a_killed_process(path: Path, make: Any) -> None:
    acknowledged: set[int] = set()
    for _ in range(5):
        # Some of the last round's are sent again, as a sender does that has heard nothing.
        again = str(max(0, max(acknowledged, default=0) - 8))
        with subprocess.Popen(
            [sys.executable, "-c", _SENDER, str(path), again], stdout=subprocess.PIPE, text=True
        ) as sender:
            assert sender.stdout is not None
            heard = [int(sender.stdout.readline()) for _ in range(100)]
            sender.kill()
            heard += [int(line) for line in sender.stdout if line.endswith("\n")]
        acknowledged.update(heard)
    stored, used, wrong = asyncio.run(audit(path, max(acknowledged) + 100, make))
    assert acknowledged <= stored
    assert used == len(stored)
    assert wrong == []


async def audit(path: Path, upto: int, make: Any) -> tuple[set[int], int, list[str]]:
    """Return the messages stored, the counter they were counted on, and what is wrong with the file."""
    store = SqliteStore(str(path))
    await store.open()
    wrong = await store.check()

    async def script(transaction: Transaction) -> tuple[set[int], int]:
        used = (await transaction.reserve([("", CounterKey("k"))], [])).used[("", CounterKey("k"))]
        keys = [("s", str(number)) for number in range(upto)]
        loaded = await transaction.load(LoadRequest(messages=keys), make.now)
        return {int(key) for _, key in loaded.answers}, used

    stored, used = await store.transact(script)
    await store.close()
    return stored, used, wrong


async def test_a_full_disk_saves_nothing_and_the_store_goes_on_when_there_is_room(
    store: SqliteStore, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c0")])
    pages = connection_of(store).execute("PRAGMA page_count").get
    connection_of(store).execute(f"PRAGMA max_page_count = {pages + 4}")
    big = [make.customer(f"c{number}", b"x" * 20_000) for number in range(1, 5)]
    with pytest.raises(Unavailable, match="free some space"):
        await run.save(customers=big, counters={("", "k"): 1})
    assert (await store.counts())["customers"] == 1
    assert await run.used(("", "k")) == {}
    connection_of(store).execute("PRAGMA max_page_count = 1000000")
    await run.save(customers=big)
    assert (await store.counts())["customers"] == 5


async def test_a_file_locked_by_another_program_is_unavailable_until_it_lets_go(
    store: SqliteStore, path: Path, run: Any, make: Any
) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="let that program finish"):
        await store.ping()
    other.execute("ROLLBACK")
    other.close()
    await store.ping()


async def test_a_read_only_store_is_unavailable(store: SqliteStore, run: Any) -> None:
    connection_of(store).execute("PRAGMA query_only = 1")
    with pytest.raises(Unavailable, match="make the file and its folder writable"):
        await store.ping()
    connection_of(store).execute("PRAGMA query_only = 0")
    await store.ping()


async def test_a_file_that_is_no_store_is_refused(path: Path) -> None:
    await asyncio.to_thread(path.write_text, "not a database, but long enough to be taken for one " * 20)
    with pytest.raises(Unavailable, match="name another"):
        await SqliteStore(str(path)).open()


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "file").write_text, "")
    with pytest.raises(Unavailable, match="name a file in a folder that exists"):
        await SqliteStore(str(tmp_path / "file" / "adapter.db")).open()


async def test_a_missing_folder_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "unmounted" / "volume" / "adapter.db"
    with pytest.raises(Unavailable, match=f"the store {path} cannot be opened .* in a folder that exists"):
        await SqliteStore(str(path)).open()
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_only_the_folder_of_the_default_store_is_made_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await open_and_close(Path(Settings().store.url.removeprefix("sqlite:///")))
    with pytest.raises(Unavailable, match=f"the store {tmp_path}/elsewhere/adapter.db cannot be opened"):
        await open_and_close(Path("elsewhere/adapter.db"))
    assert await asyncio.to_thread(lambda: [each.name for each in tmp_path.iterdir()]) == ["data"]


async def test_a_newer_schema_is_refused(store: SqliteStore, path: Path) -> None:
    connection_of(store).execute("INSERT INTO schema_version (number, name) VALUES (999, 'future')")
    await store.close()
    with pytest.raises(
        Unavailable, match=r"has schema 999, and this program knows \d+: start the newer program"
    ):
        await store.open()


async def test_a_closed_store_is_unavailable(path: Path) -> None:
    store = SqliteStore(str(path))
    with pytest.raises(Unavailable, match="open it first"):
        await store.ping()
    await store.open()
    await store.close()
    with pytest.raises(Unavailable, match="open it first"):
        await store.customer("c1")
    await store.close()


async def test_no_transaction_runs_during_another(store: SqliteStore, make: Any) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(customers=["c1"]), make.now)

    await store.transact(script, lambda: pytest.fail("another transaction would only wait"))


async def test_a_script_that_awaits_anything_else_is_refused(store: SqliteStore, run: Any, make: Any) -> None:
    async def script(transaction: Transaction) -> None:
        await transaction.save(make.changes(counters={("", "k"): 1}))
        await asyncio.sleep(0)

    with pytest.raises(TypeError, match="may await the methods of its transaction only"):
        await store.transact(script)
    assert await run.used(("", "k")) == {}


def test_migrations_are_applied_once_and_atomically() -> None:
    connection = apsw.Connection(":memory:")
    first = Migration(1, "first", "CREATE TABLE a (x)")
    migrate(connection, [first], "here")
    migrate(connection, [first], "here")
    broken = [
        first,
        Migration(2, "second", "CREATE TABLE b (x)"),
        Migration(3, "third", "CREATE TABLE a (x)"),
    ]
    with pytest.raises(apsw.SQLError, match="already exists"):
        migrate(connection, broken, "here")
    assert [step.number for step in applied(connection)] == [1]
    migrate(connection, broken[:2], "here")
    assert [step.number for step in applied(connection)] == [1, 2]


def test_a_migrated_schema_equals_a_fresh_one() -> None:
    fresh, stepped = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    migrate(fresh, MIGRATIONS, "fresh")
    for count in range(1, len(MIGRATIONS) + 1):
        migrate(stepped, MIGRATIONS[:count], "stepped")
    schemas = [list(each.execute("SELECT sql FROM sqlite_schema ORDER BY name")) for each in (fresh, stepped)]
    assert schemas[0] == schemas[1]
