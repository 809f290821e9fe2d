"""Backups of the SQLite file, made while it is written to, and what a restore needs."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import Refused, StoreUnavailable
from adapter.model.counter_key import CounterKey
from adapter.store.sqlite.backup import back_up
from adapter.store.sqlite.engine import SqliteStore
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest

#: Each in a process of its own, as an operator's shell is: of two SQLites in one process either breaks the
#: locks of the other.
WAYS = {
    "adapter store backup": "from adapter.cli.main import main; import sys; path, into = sys.argv[1:]; "
    "sys.argv[1:] = ['store', 'backup', into, '--store', f'sqlite:///{path}']; main()",
    "VACUUM INTO": "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('VACUUM INTO ?', sys.argv[2:])",
    ".backup": "import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b); b.close()",
}


def log_of(path: Path) -> list[Path]:
    return [Path(f"{path}-wal"), Path(f"{path}-shm")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "adapter.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(str(path))
    await store.open()
    yield store
    await store.close()


async def numbers(path: Path, make: Any) -> tuple[int, int]:
    """Return how many customers a file has and what they were counted as, once it has been found sound."""
    store = SqliteStore(str(path))
    await store.open()

    async def script(transaction: Transaction) -> int:
        await transaction.load(LoadRequest(), make.now)
        return sum((await transaction.reserve([("", CounterKey("k"))], [])).used.values())

    try:
        assert await store.check() == []
        return (await store.counts())["customers"], await store.transact(script)
    finally:
        await store.close()


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("way", WAYS)
async def test_a_backup_during_writes_has_what_was_committed_before_it_began(
    way: str, store: SqliteStore, path: Path, tmp_path: Path, run: Any, make: Any
) -> None:
    saved = 0

    async def serve() -> None:
        nonlocal saved
        while True:
            await run.save(customers=[make.customer(f"c{saved}", b"h" * 500)], counters={("", "k"): 1})
            saved += 1

    serving = asyncio.create_task(serve())
    while saved < 300:  # noqa: ASYNC110 - what is waited for knows no event
        await asyncio.sleep(0.01)
    before = saved
    command = [sys.executable, "-c", WAYS[way], str(path), str(tmp_path / "backup.db")]
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert saved > before, "it goes on while the backup is made"
    serving.cancel()
    customers, counted = await numbers(tmp_path / "backup.db", make)
    assert before <= customers == counted


async def test_a_plain_copy_of_an_open_file_lacks_the_rows_in_its_log(
    store: SqliteStore, path: Path, tmp_path: Path, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c1")], counters={("", "k"): 1})
    await asyncio.to_thread(shutil.copy, path, tmp_path / "plain.db")
    await asyncio.to_thread(back_up, str(path), tmp_path / "backup.db")
    assert await numbers(tmp_path / "plain.db", make) == (0, 0)
    assert await numbers(tmp_path / "backup.db", make) == (1, 1)


async def test_a_restored_backup_opens_only_once_the_log_of_the_file_before_is_gone(
    store: SqliteStore, path: Path, tmp_path: Path, run: Any, make: Any
) -> None:
    await run.save(customers=[make.customer("c1")], counters={("", "k"): 1})
    backup, place = tmp_path / "backup.db", tmp_path / "place.db"
    await asyncio.to_thread(back_up, str(path), backup)
    await run.save(customers=[make.customer("c2")], counters={("", "k"): 1})
    for left in (path, *log_of(path)):  # what a server that was killed leaves
        await asyncio.to_thread(shutil.copy, left, f"{place}{str(left).removeprefix(str(path))}")
    await asyncio.to_thread(shutil.copy, backup, place)
    with pytest.raises(StoreUnavailable, match="is not of the store"):
        await numbers(place, make)
    for left in log_of(place):
        await asyncio.to_thread(left.unlink)
    assert await numbers(place, make) == (1, 1)


async def test_a_backup_is_readable_by_its_owner_only_and_leaves_no_other_file(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    await asyncio.to_thread(folder.mkdir)
    await store.back_up(folder / "a.db")
    assert [each.name for each in await asyncio.to_thread(lambda: list(folder.iterdir()))] == ["a.db"]
    assert (await asyncio.to_thread((folder / "a.db").stat)).st_mode & 0o777 == 0o600


async def test_no_file_is_overwritten(store: SqliteStore, path: Path) -> None:
    with pytest.raises(Refused, match=r"adapter\.db exists already: name a new file"):
        await store.back_up(path)


async def test_a_backup_that_fails_says_why_and_leaves_nothing(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="see that the folder is there, has room"):
        await store.back_up(tmp_path / "none" / "a.db")
    with pytest.raises(StoreUnavailable, match="cannot be backed up"):
        await asyncio.to_thread(back_up, str(tmp_path / "none.db"), tmp_path / "b.db")
    assert not [
        each for each in await asyncio.to_thread(lambda: list(tmp_path.iterdir())) if "b.db" in each.name
    ]
