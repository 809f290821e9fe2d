"""One writing process per file: an advisory lock beside it, which the system drops when the process dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from adapter.errors import StoreInUse, StoreUnavailable


class FileLock:
    """Holds `<file>.lock`; the process id in it is for people only."""

    def __init__(self, path: str) -> None:
        self._store = path
        # By whatever link somebody comes to the file, it has one lock.
        self._path = Path(f"{Path(path).resolve()}.lock")
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock; raises StoreInUse when another store has it, StoreUnavailable when none can."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"the store {self._store} cannot be opened ({error.strerror}): "
                "name a file in a folder that exists and is writable for this user"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreInUse(
                f"the store {self._store} is in use by process {holder}: stop that process, "
                "or use a postgresql:// store, which several processes can share"
            ) from error
        with suppress(OSError):  # a full disk cannot take the id, and does not need to
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; the file stays, because removing it would race with the next taker."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
