"""The file behind an open store: whether it is still the file that was opened, and writing its log back.

SQLite continues to write into a file that was removed, and does not notice one that was overwritten. So after
every commit this module checks the file, its log and its index by their names, and a mark in the file.

The mark is the number that SQLite keeps for applications in the file's header (`user_version`). It is another
one after every opening, and before every time that the log is written back: so a copy from before then bears
an older one, and a copy from after then has the same pages. A file that was closed in order has the mark 1,
and no log; a log with its name belongs to another file. Earlier programs leave the mark at 0.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path

import apsw

from adapter.errors import StoreInUse, StoreLost, StoreUnavailable
from adapter.store.sqlite.lock import holder, is_held, unusable

#: Where the mark is in the header, and how many bytes it has.
_MARK_AT, _MARK_LENGTH = 60, 4
_NONE, _CLOSED, _FIRST, _LAST = 0, 1, 2, 2**31 - 1
#: Pages of 4 KiB in the log from which a commit also writes them back to the file.
_FULL = 8_000
_MOUNTS = Path("/proc/self/mountinfo")
#: What SQLite appends to the name of a file for its log, and for the index of that log.
_BESIDE = ("-wal", "-shm")
#: The permissions of users who are neither the file's owner nor of its group.
_OTHERS = 0o007
_Seen = tuple[int, int, int]
_ELSEWHERE = (
    "process {process} has the store {path} open, and its log {log} is not here: "
    "name the file as that process does"
)
_LEFT = (
    "the store {path} was not closed in order under another of its names, and its log is next to that name: "
    "open it there first, which writes the log into the file; if that log is lost, make an empty file {log}"
)
_STRAY = (
    "the log {log} is not of the store {path}, which was closed in order after that log was written: remove "
    "the log after a restore; if another program has the file open, let it finish"
)


class OpenFile:
    """Watches the file that a connection writes to; `descriptor` is of the same file, and stays open."""

    def __init__(self, path: str, descriptor: int, connection: apsw.Connection) -> None:
        self._path = path
        self._descriptor = descriptor
        self._connection = connection
        self._pages = 0
        self._lost: StoreLost | None = None
        self._mark = int(connection.execute("PRAGMA user_version").get)
        self._accepted = {self._mark, marked(descriptor)}
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
        connection.set_wal_hook(self._count)
        self._renew(os.fstat(descriptor).st_ctime_ns)
        self._write_back()
        self._accepted.add(marked(descriptor))
        self._seen = {part: seen for part in _beside(path) if (seen := _look(part))}
        self._seen[Path(path)] = _seen(os.fstat(descriptor))
        self.check()

    def expect(self) -> None:
        """Raise StoreLost as long as what the last check found missing is not back."""
        if self._lost is not None:
            self.check()

    def committed(self) -> None:
        """Write a full log back, and raise StoreLost unless the commit went into the file that was opened."""
        if self._pages >= _FULL:
            if self._accepted == {self._mark}:  # else the last one is still on its way into the file
                self._renew(self._mark + 1)
            self._write_back()
        self.check()

    def check(self) -> None:
        """Raise StoreLost unless the file, its log and its index are there, and the file bears our mark."""
        try:
            self._seen = {part: _expected(part, seen) for part, seen in self._seen.items()}
            self._expect_mark()
        except StoreLost as error:
            self._lost = error
            raise
        self._lost = None

    def close(self) -> None:
        """Mark the file as closed in order; a file that was overwritten is left as it is, and the log too."""
        self._connection.set_wal_hook(None)
        try:
            self._expect_mark()
        except StoreLost:
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            return
        with suppress(apsw.Error):  # it then counts as not closed in order, which is true
            self._connection.execute(f"PRAGMA user_version = {_CLOSED}")

    def _expect_mark(self) -> None:
        try:
            found = marked(self._descriptor)
        except OSError as error:
            raise _unfound(Path(self._path), error) from error
        if found == self._mark:
            self._accepted = {found}
        elif found not in self._accepted:
            raise _overwritten(Path(self._path))

    def _renew(self, seed: int) -> None:
        """Put another mark into the log; on a full disk the one before stays."""
        mark = max(_FIRST, seed % _LAST)
        with suppress(apsw.Error):
            self._connection.execute(f"PRAGMA user_version = {mark}")
            self._mark = mark

    def _write_back(self) -> None:
        """Write the log back into the file; what a full disk or a reader prevents is done later."""
        with suppress(apsw.Error):
            self._connection.wal_checkpoint()

    def _count(self, connection: apsw.Connection, database: str, pages: int) -> int:
        self._pages = pages
        return apsw.SQLITE_OK


def marked(descriptor: int) -> int:
    """Return the mark of a file."""
    return int.from_bytes(os.pread(descriptor, _MARK_LENGTH, _MARK_AT))


def mark_closed(path: str) -> None:
    """Mark a new file, which no process has open, as closed in order."""
    with closing(apsw.Connection(path)) as connection:
        connection.execute(f"PRAGMA user_version = {_CLOSED}")


def claim(path: str, descriptor: int) -> None:
    """Prepare a locked file for opening: raise as `expect_log`, and take away the mark of a closed file.

    The mark goes before SQLite writes a log, because the log of a process that is killed is the file's own.
    """
    expect_log(path, descriptor)
    if marked(descriptor) == _CLOSED:
        try:
            os.pwrite(descriptor, _NONE.to_bytes(_MARK_LENGTH), _MARK_AT)
            os.fsync(descriptor)
        except OSError as error:
            raise unusable(path, "written to", error) from error


def expect_readable(path: str) -> None:
    """Do as `expect_log` for a file that this process wants to read only; one that is not there passes."""
    if is_held(path):
        return
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            expect_log(path, descriptor)
        finally:
            os.close(descriptor)


def expect_log(path: str, descriptor: int) -> None:
    """Raise StoreUnavailable if the log belongs to another file, or if the file's own log is missing.

    SQLite would apply a log of another file; without its own log a file lacks what was committed last.
    """
    log, process, mark = _beside(path)[0], holder(descriptor), marked(descriptor)
    if log.exists():
        if process is None and mark == _CLOSED and _is_stray(log, descriptor):
            raise StoreUnavailable(_STRAY.format(path=path, log=log))
    elif process is not None:
        raise StoreInUse(_ELSEWHERE.format(path=path, log=log, process=process))
    elif mark >= _FIRST and _has_other_name(path, descriptor):
        raise StoreUnavailable(_LEFT.format(path=path, log=log))


def exposed(path: str) -> list[Path]:
    """Return which of the file, its log and its index any user of the machine may read or write."""
    found = (Path(path), *_beside(path))
    return [each for each in found if each.exists() and each.stat().st_mode & _OTHERS]


def _is_stray(log: Path, descriptor: int) -> bool:
    """Return whether a log is older than a file that came to its place; a shell's log is younger."""
    found = log.stat()
    return found.st_size > 0 and found.st_mtime_ns < os.fstat(descriptor).st_ctime_ns


def _has_other_name(path: str, descriptor: int) -> bool:
    """Return whether the file has hard links, or is itself a mount point (a bind mount of one file)."""
    if os.fstat(descriptor).st_nlink > 1:
        return True
    whole = str(Path(path).resolve())
    with suppress(OSError):
        return any(line.split()[4] == whole for line in _MOUNTS.read_text().splitlines())
    return False


def _beside(path: str) -> tuple[Path, Path]:
    """Return where the file's log and its index are; SQLite follows symbolic links first."""
    whole = Path(path).resolve()
    return Path(f"{whole}-wal"), Path(f"{whole}-shm")


def _look(path: Path) -> _Seen | None:
    try:
        return _seen(path.stat())
    except FileNotFoundError:
        return None


def _seen(found: os.stat_result) -> _Seen:
    return found.st_dev, found.st_ino, found.st_size


def _expected(path: Path, seen: _Seen) -> _Seen:
    """Return what is at a path now; raises StoreLost unless it is the same file, and has not shrunk."""
    try:
        found = _look(path)
    except OSError as error:
        raise _unfound(path, error) from error
    if found is None:
        raise _lost(path, "was removed or renamed", _remedy(path))
    if found[:2] != seen[:2]:
        raise _lost(path, "was replaced by another file", _remedy(path))
    if found[2] < seen[2]:
        raise _overwritten(path)
    return found


def _unfound(path: Path, error: OSError) -> StoreLost:
    return _lost(path, f"cannot be read any more ({error.strerror})", "see the disk's and the system's logs")


def _overwritten(path: Path) -> StoreLost:
    return _lost(
        path, "was overwritten or cut off", "stop this process, and restore a backup as docs/backup.md says"
    )


def _remedy(path: Path) -> str:
    if path.name.endswith(_BESIDE):
        return "end this process with SIGTERM, which writes the log into the store, and start it again"
    return "put it back, or stop this process and restore a backup"


def _lost(path: Path, what: str, remedy: str) -> StoreLost:
    part = {"-wal": "log", "-shm": "index of its log"}.get(path.name[-4:], "file")
    happened = f"the store's {part} {what} while the server had it open"
    return StoreLost(f"{happened} ({path}): {remedy}", happened)
