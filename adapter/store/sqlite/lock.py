"""One writing process per file: a lock on the file itself, which the system drops when the process dies.

The lock belongs to the inode, so a hard link, a bind mount or a removed `.lock` file lead to the same lock.
It is a range far behind every page, because SQLite locks ranges of the same file. The length of the range is
the process id of the holder plus one: a process that is refused reads from it which process to stop.

Closing any descriptor of a file drops the POSIX locks that this process has on it, those of SQLite included.
So this process opens one descriptor of the file, before SQLite opens it, and closes it after SQLite has
closed it; `_HELD` has the inodes of which that is true now, and no descriptor is opened for those.

Programs before this one lock `<file>.lock` only. It is taken too, so that they and this one exclude each
other.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from contextlib import suppress
from errno import EACCES, EAGAIN, EINVAL, EISDIR, ENOENT, ENOTDIR, EROFS
from pathlib import Path
from typing import Literal

from adapter.errors import StoreInUse, StoreUnavailable

#: Where the locked range begins: SQLite's own locks are at 2**30.
_START = 1 << 62
_LINUX = sys.platform == "linux"
#: `struct flock`: type, whence, start, length, process on Linux; the last three come first on macOS and BSD.
_FLOCK = struct.Struct("hhqqi" if _LINUX else "qqihh")
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_HELD: set[tuple[int, int]] = set()


class FileLock:
    """Holds a store's file for this process; `descriptor` is the file's."""

    def __init__(self, path: str) -> None:
        self._store = path
        self._beside = Path(f"{Path(path).resolve()}.lock")
        self._descriptors: list[int] = []
        self._inode = (0, 0)

    @property
    def descriptor(self) -> int:
        """The one descriptor of the file, open while the lock is held."""
        return self._descriptors[-1]

    def take(self) -> None:
        """Take the lock; raises StoreInUse when another store has it, StoreUnavailable when none can."""
        try:
            self._take_beside()
            self._take_file()
        except BaseException:
            self.release()
            raise

    def renew(self) -> None:
        """Take the lock on the file, or take it again: SQLite drops POSIX locks while it opens the file."""
        try:
            _locking(self.descriptor, "SETLK", os.getpid() + 1)
        except OSError as error:
            if error.errno not in (EAGAIN, EACCES):
                raise unusable(self._store, "locked", error) from error
            raise _in_use(self._store, holder(self.descriptor) or "unknown") from error

    def release(self) -> None:
        """Let go; `.lock` stays, because removing it would race with the next process that takes it."""
        _HELD.discard(self._inode)
        self._inode = (0, 0)
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _take_beside(self) -> None:
        descriptor = self._open(self._beside)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            noted = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise _in_use(self._store, noted or "unknown") from error
        with suppress(OSError):  # a full disk cannot take the id, and does not need to
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)

    def _take_file(self) -> None:
        if is_held(self._store):
            raise _in_use(self._store, str(os.getpid()))
        descriptor = self._open(Path(self._store))
        self.renew()
        found = os.fstat(descriptor)
        self._inode = (found.st_dev, found.st_ino)
        _HELD.add(self._inode)

    def _open(self, path: Path) -> int:
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise unusable(self._store, "opened", error) from error
        self._descriptors.append(descriptor)
        return descriptor


def is_held(path: str) -> bool:
    """Return whether this process has a lock on the file, under whatever name."""
    return _inode(path) in _HELD


def holder(descriptor: int) -> str | None:
    """Return the id of another process that has the lock on a file, None when there is none."""
    found = _FLOCK.unpack(_locking(descriptor, "GETLK", 1))
    kind, length = (found[0], found[3]) if _LINUX else (found[3], found[1])
    return None if kind == fcntl.F_UNLCK else str(length - 1)


def _in_use(store: str, process: str) -> StoreInUse:
    """Return why a store cannot be opened here."""
    return StoreInUse(
        f"the store {store} is in use by process {process}: stop that process, "
        "or use a postgresql:// store, which several processes can share"
    )


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _locking(descriptor: int, command: Literal["SETLK", "GETLK"], length: int) -> bytes:
    """Set or look for a lock of the open file description, of the process where the system has no such locks.

    A process drops its own lock when it closes any descriptor of the file, which `_HELD` prevents.
    """
    if description := getattr(fcntl, f"F_OFD_{command}", None):
        try:
            return fcntl.fcntl(descriptor, description, _range(length))
        except OSError as error:
            if error.errno != EINVAL:
                raise
    return fcntl.fcntl(descriptor, getattr(fcntl, f"F_{command}"), _range(length))


def _range(length: int) -> bytes:
    start = (_START, length, 0)
    kind = (fcntl.F_WRLCK, os.SEEK_SET)
    return _FLOCK.pack(*kind, *start) if _LINUX else _FLOCK.pack(*start, *kind)


def unusable(store: str, done: str, error: OSError) -> StoreUnavailable:
    """Return why a system call on a store's file failed, and what to do."""
    remedy = "name a file in a folder that exists and is writable for this user"
    if error.errno in (EACCES, EROFS) and Path(store).exists():
        remedy = "make the file and its folder writable for this user"
    elif error.errno not in (EACCES, EROFS, ENOENT, ENOTDIR, EISDIR):
        remedy = "see the disk's and the system's logs"
    return StoreUnavailable(f"the store {store} cannot be {done} ({error.strerror}): {remedy}")
