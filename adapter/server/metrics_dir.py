"""The directory in which the worker processes of one server store their metrics.

Each process that uses it holds a lock in it, which the system releases when the process ends for any reason.
A directory without a lock holder belonged to processes that were killed; the next server that starts removes
it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from adapter.errors import Unavailable

PREFIX = "adapter-metrics-"
_LOCK = "in-use.lock"
_FLAGS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


@contextmanager
def metrics_dir(parent: Path) -> Iterator[Path]:
    """Make a directory in `parent` and lock it while the block runs; first, remove abandoned ones."""
    remove_abandoned(parent)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _new_lock(directory)
    try:
        yield directory
    finally:
        rmtree(directory, ignore_errors=True)
        os.close(lock)


def lock_metrics_dir(directory: Path) -> int:
    """Lock the directory of another process; returns the descriptor, which releases the lock when closed.

    Raises Unavailable where the directory is missing, because the process that made it was killed.
    """
    try:
        lock = os.open(directory / _LOCK, _FLAGS)
    except OSError as error:
        message = f"metrics directory {directory} is missing; the supervisor process has exited"
        raise Unavailable(message) from error
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def remove_abandoned(parent: Path) -> None:
    """Remove the directories that no process locks; one without a lock file may belong to another program."""
    for directory in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), _exclusive(directory / _LOCK):
            rmtree(directory, ignore_errors=True)


def _new_lock(directory: Path) -> int:
    """Return a new lock; its file gets its name only once it is locked."""
    fresh = directory / "new.lock"
    lock = os.open(fresh, _FLAGS | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    fresh.rename(directory / _LOCK)
    return lock


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock exclusively; raises OSError where another process holds it."""
    lock = os.open(path, _FLAGS)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
