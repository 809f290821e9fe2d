"""The SQLite file removed, replaced, overwritten or cut off while a store has it open."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import StoreLost
from adapter.store.sqlite import open_file
from adapter.store.sqlite.engine import SqliteStore

Fault = Callable[[Path], None]


def shell(*command: str | Path) -> None:
    """Run a program: this process must not close a descriptor of the file while SQLite has it open."""
    subprocess.run(command, check=True, capture_output=True)


def beside(path: Path, name: str) -> Path:
    return path.parent.parent / name


def removed(path: Path) -> None:
    path.unlink()


def renamed(path: Path) -> None:
    path.rename(beside(path, "away"))


def replaced(path: Path) -> None:
    beside(path, "other.db").rename(path)


def overwritten(path: Path) -> None:
    shell("cp", beside(path, "other.db"), path)


def overwritten_by_its_backup(path: Path) -> None:
    shell("cp", beside(path, "backup.db"), path)


def overwritten_by_an_older_copy(path: Path) -> None:
    shell("cp", beside(path, "older.db"), path)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def folder_renamed(path: Path) -> None:
    path.parent.rename(beside(path, "elsewhere"))


def log_removed(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def log_emptied(path: Path) -> None:
    os.truncate(f"{path}-wal", 0)


def index_removed(path: Path) -> None:
    Path(f"{path}-shm").unlink()


#: Each fault, and a word of what is said of it.
FAULTS: list[tuple[Fault, str]] = [
    (removed, "file was removed"),
    (renamed, "file was removed or renamed"),
    (replaced, "file was replaced"),
    (overwritten, "file was overwritten"),
    (overwritten_by_its_backup, "file was overwritten"),
    (overwritten_by_an_older_copy, "file was overwritten"),
    (emptied, "file was overwritten or cut off"),
    (cut_off, "file was overwritten or cut off"),
    (folder_renamed, "removed or renamed"),
    (log_removed, "log was removed"),
    (log_emptied, "log was overwritten or cut off"),
    (index_removed, "index of its log was removed"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "adapter.db"


@pytest.fixture
async def store(path: Path, monkeypatch: pytest.MonkeyPatch, make: Any) -> AsyncIterator[SqliteStore]:
    """A store with customers, beside another store, a backup, and a copy from before the last commits."""
    other = SqliteStore(str(beside(path, "other.db")))
    await other.open()
    await other.close()
    store = SqliteStore(str(path))
    await store.open()
    await save(store, make, "c0")
    await asyncio.to_thread(shell, "cp", path, beside(path, "older.db"))
    monkeypatch.setattr(open_file, "_FULL", 1)
    await save(store, make, "c1")
    await save(store, make, "c1")  # of one size, so that only the mark tells the copies apart
    monkeypatch.undo()
    await store.back_up(beside(path, "backup.db"))
    yield store
    await store.close()


async def save(store: SqliteStore, make: Any, source_id: str) -> None:
    async def script(transaction: Any) -> None:
        await transaction.save(make.changes(customers=[make.customer(source_id)]))

    await store.transact(script)


@pytest.mark.parametrize(("fault", "said"), FAULTS)
@pytest.mark.parametrize("notices", ["commit", "readiness"])
async def test_a_store_without_its_file_refuses_commits_with_the_reason(
    store: SqliteStore, path: Path, make: Any, fault: Fault, said: str, notices: str
) -> None:
    await asyncio.to_thread(fault, path)
    for _ in range(2):
        with pytest.raises(StoreLost) as lost:
            await (save(store, make, "c2") if notices == "commit" else store.ping())
        assert said in lost.value.public_message
        assert str(path.parent.parent) not in lost.value.public_message, "HTTP clients do not learn the path"
        assert str(path) in lost.value.message


async def test_a_file_that_is_put_back_is_used_again(store: SqliteStore, path: Path, make: Any) -> None:
    await asyncio.to_thread(renamed, path)
    with pytest.raises(StoreLost):
        await save(store, make, "c2")
    with pytest.raises(StoreLost):
        await save(store, make, "c3")
    await asyncio.to_thread(beside(path, "away").rename, path)
    await save(store, make, "c4")
    assert [await store.customer(each) is not None for each in ("c0", "c1", "c3", "c4")] == [
        True,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("fault", [log_removed, index_removed])
async def test_closing_writes_the_rows_of_a_removed_log(
    store: SqliteStore, path: Path, make: Any, fault: Fault
) -> None:
    await save(store, make, "c5")
    await asyncio.to_thread(fault, path)
    with pytest.raises(StoreLost):
        await store.ping()
    await store.close()
    await store.open()
    assert await store.customer("c5") is not None
    assert await store.check() == []


async def test_a_file_that_took_the_place_of_another_is_not_written_to(
    store: SqliteStore, path: Path, make: Any
) -> None:
    content = await asyncio.to_thread(beside(path, "backup.db").read_bytes)
    await save(store, make, "c5")
    await asyncio.to_thread(overwritten_by_its_backup, path)
    with pytest.raises(StoreLost):
        await save(store, make, "c6")
    await store.close()
    assert await asyncio.to_thread(path.read_bytes) == content


async def test_a_copy_that_differs_in_nothing_is_the_file(store: SqliteStore, path: Path, make: Any) -> None:
    await asyncio.to_thread(shell, "cp", path, beside(path, "same.db"))
    await save(store, make, "c5")
    await asyncio.to_thread(shell, "cp", beside(path, "same.db"), path)
    await save(store, make, "c6")
    assert await store.customer("c5") is not None
    assert await store.check() == []


async def test_a_commit_checks_the_file_once(
    store: SqliteStore, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look = open_file.OpenFile.check

    def counted(self: open_file.OpenFile) -> None:
        nonlocal looks
        looks += 1
        look(self)

    monkeypatch.setattr(open_file.OpenFile, "check", counted)

    async def script(transaction: Any) -> None:
        await transaction.save(make.changes(customers=[make.customer(f"m{each}") for each in range(500)]))

    await store.transact(script)
    assert looks == 1
    assert len(store._file._seen) == 3  # type: ignore[union-attr]  # one stat each


@pytest.mark.parametrize("reading", [False, True])
async def test_the_log_is_written_back_as_it_grows(
    store: SqliteStore, path: Path, make: Any, monkeypatch: pytest.MonkeyPatch, reading: bool
) -> None:
    """Also after a reader has held it up for a while; meanwhile nothing is taken for a lost file."""
    monkeypatch.setattr(open_file, "_FULL", 20)
    reader = None
    if reading:
        command = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        command += "c.execute('BEGIN'); c.execute('SELECT count(*) FROM customers').fetchall(); input()"
        reader = await asyncio.create_subprocess_exec(
            "python3", "-c", command, str(path), stdin=asyncio.subprocess.PIPE
        )
        await asyncio.sleep(0.5)
    for each in range(40):
        await save(store, make, f"m{each}")
    if reader is not None:
        await reader.communicate(b"\n")
    for each in range(40):
        await save(store, make, f"n{each}")
    log = await asyncio.to_thread(Path(f"{path}-wal").stat)
    before = log.st_size
    for each in range(40):
        await save(store, make, f"o{each}")
    log = await asyncio.to_thread(Path(f"{path}-wal").stat)
    assert log.st_size <= max(before, 4200 * 40), "it is written from its beginning again"
    assert await store.check() == []
