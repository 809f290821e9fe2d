"""One writing process per SQLite file, by whatever name each process reaches the file."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapter.errors import StoreInUse, StoreUnavailable
from adapter.store.sqlite.engine import SqliteStore

pytestmark = pytest.mark.process

#: Opens a store, saves one customer, says so, and keeps the store open until its input ends.
HOLDER = """
import asyncio, sys
from datetime import UTC, datetime
from adapter.model.customers import Customer
from adapter.store.values import (Changes, CustomerRecord)
from adapter.store.sqlite.engine import SqliteStore

async def main(path):
    store = SqliteStore(path)
    await store.open()
    async def script(transaction):
        record = CustomerRecord(Customer("c1"))
        await transaction.save(Changes(datetime.now(UTC), {}, [record], {}, [], [], [], [], {}, [], [], []))
    await store.transact(script)
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await store.close()

asyncio.run(main(sys.argv[1]))
"""
#: The same on a system that has no locks of open file descriptions.
POSIX_HOLDER = f"import fcntl\ndel fcntl.F_OFD_SETLK, fcntl.F_OFD_GETLK\n{HOLDER}"
#: Locks a file as programs of the version before do.
OLDER = """
import fcntl, os, sys
file = open(sys.argv[1] + ".lock", "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(str(os.getpid()))
file.flush()
print("open", flush=True)
sys.stdin.read()
"""
#: Uses a store in every way that a process can while it has the store open, then says which of the locks that
#: SQLite takes on a file in use (one byte per file, shared) this process still has.
BUSY = """
import asyncio, os, subprocess, sys
from pathlib import Path
from adapter.errors import StoreInUse
from adapter.store.sqlite.engine import SqliteStore

LOOK = '''
import fcntl, os, struct, sys
with open(sys.argv[1], "r+b") as file:
    asked = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0x40000002, 510, 0)
    found = struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, asked))
    print("free" if found[0] == fcntl.F_UNLCK else found[4])
'''

async def main(path, link):
    store = SqliteStore(path)
    await store.open()
    await store.counts()
    for other in (path, link):
        try:
            await SqliteStore(other).open()
        except StoreInUse:
            pass
        else:
            sys.exit("a second store was opened")
        await SqliteStore(other).schema()
        await SqliteStore(other).deliveries("due")
        await SqliteStore(other).back_up(Path(f"{other}.backup"))
    await store.ping()
    held = subprocess.run([sys.executable, "-c", LOOK, path], capture_output=True, text=True, check=True)
    print("held" if int(held.stdout) == os.getpid() else held.stdout)
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def running(code: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on a file until the block ends; it has the file when the block begins."""
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        yield process


async def open_and_count(path: Path) -> int:
    store = SqliteStore(str(path))
    await store.open()
    try:
        return (await store.counts())["customers"]
    finally:
        await store.close()


def customers(path: Path) -> int:
    return asyncio.run(open_and_count(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    return folder / "adapter.db"


Reach = Callable[[Path], Path]


def same_name(path: Path) -> Path:
    return path


def removed_lock_file(path: Path) -> Path:
    Path(f"{path}.lock").unlink()
    return path


def hard_link(path: Path) -> Path:
    other = path.parent.parent / "link.db"
    other.hardlink_to(path)
    return other


def symbolic_link(path: Path) -> Path:
    other = path.parent.parent / "link.db"
    other.symlink_to(path)
    return other


@pytest.fixture
def bind_mount() -> Iterator[Reach]:
    """Mounts one file at another place, where this user may."""
    mounted: list[Path] = []

    def mount(path: Path) -> Path:
        other = path.parent.parent / "mounted.db"
        other.touch()
        command = ["mount", "--bind", str(path), str(other)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount")
        mounted.append(other)
        return other

    yield mount
    for other in mounted:
        subprocess.run(["umount", "-l", str(other)], check=True)


@pytest.fixture(params=[same_name, removed_lock_file, hard_link, symbolic_link, "bind_mount"])
def reach(request: pytest.FixtureRequest) -> Reach:
    """A way to the file of another process."""
    if request.param == "bind_mount":
        return request.getfixturevalue("bind_mount")  # type: ignore[no-any-return]
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("code", [HOLDER, POSIX_HOLDER], ids=["description", "posix"])
def test_a_second_process_is_refused_by_whatever_name_it_reaches_the_file(
    path: Path, reach: Reach, code: str
) -> None:
    with running(code, path) as holder:
        other = reach(path)
        with pytest.raises(StoreInUse, match=f"process {holder.pid}[ :]"):
            customers(other)
    assert customers(other) == 1, "once the first has closed the file it may be opened"


@pytest.mark.parametrize("read", ["backup", "deliveries", "schema"])
def test_a_reader_does_not_read_past_the_log_of_a_process_that_has_the_file(path: Path, read: str) -> None:
    """By another name the file has another log, so that what was committed last would be missing."""
    into = path.parent / "backup.db"
    reads = {
        "backup": lambda store: store.back_up(into),
        "deliveries": lambda store: store.deliveries("due"),
        "schema": lambda store: store.schema(),
    }
    with running(HOLDER, path) as holder:
        other = hard_link(path)
        with pytest.raises(StoreInUse, match=f"process {holder.pid} has"):
            asyncio.run(reads[read](SqliteStore(str(other))))
        assert not into.exists()
        assert not Path(f"{other}-wal").exists()
        asyncio.run(reads[read](SqliteStore(str(path))))


def test_a_program_of_the_version_before_excludes_this_one(path: Path) -> None:
    with running(OLDER, path) as older, pytest.raises(StoreInUse, match=f"process {older.pid}:"):
        customers(path)


def test_this_program_excludes_those_of_the_version_before(path: Path) -> None:
    with running(HOLDER, path), Path(f"{path}.lock").open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("other_name", [hard_link, "bind_mount"])
def test_after_a_kill_the_file_is_opened_first_under_the_name_that_its_log_has(
    path: Path, other_name: Reach | str, request: pytest.FixtureRequest
) -> None:
    reach: Reach = other_name if callable(other_name) else request.getfixturevalue(other_name)
    with running(HOLDER, path) as holder:
        holder.kill()
    other = reach(path)
    with pytest.raises(StoreUnavailable, match="next to that name: open it there first"):
        customers(other)
    assert customers(path) == 1
    assert customers(other) == 1


@pytest.mark.parametrize("posix", [False, True])
def test_a_process_keeps_the_locks_of_sqlite_whatever_it_does_with_an_open_file(
    path: Path, posix: bool
) -> None:
    asyncio.run(open_and_count(path))
    link = hard_link(path)
    without = "import fcntl\ndel fcntl.F_OFD_SETLK, fcntl.F_OFD_GETLK\n" if posix else ""
    command = [sys.executable, "-c", without + BUSY, str(path), str(link)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("held\n", "")


def test_a_log_next_to_a_properly_closed_file_is_refused(path: Path) -> None:
    with running(HOLDER, path) as holder:
        holder.kill()
    log = Path(f"{path}-wal")
    kept = log.rename(path.parent / "kept")
    log.write_bytes(kept.read_bytes())
    assert customers(path) == 1
    kept.rename(log)
    with pytest.raises(StoreUnavailable, match="is not of the store"):
        customers(path)
    log.unlink()
    assert customers(path) == 1


def test_a_log_that_another_program_wrote_since_is_the_file_s_own(path: Path) -> None:
    asyncio.run(open_and_count(path))
    shell = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE mine (x)');"
    shell += "print('open', flush=True); sys.stdin.read()"
    with running(shell, path) as process:
        process.kill()
    assert Path(f"{path}-wal").stat().st_size
    assert customers(path) == 0


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
def test_a_process_that_is_killed_while_it_opens_the_file_leaves_one_that_can_be_opened(
    path: Path, seconds: float
) -> None:
    """The moments are spread over the opening; each must leave a file that opens, so none has to be met."""
    asyncio.run(open_and_count(path))
    code = HOLDER.replace("await store.open()", "print('open', flush=True); await store.open()")
    for _ in range(5):
        with running(code, path) as holder:
            with pytest.raises(subprocess.TimeoutExpired):
                holder.wait(seconds)
            holder.kill()
        customers(path)
