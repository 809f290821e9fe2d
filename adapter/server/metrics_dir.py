"""The folder in which processes that serve one port together keep their numbers.

Whoever uses one holds a lock in it, which the system drops however a process dies. A folder that nobody holds
is of processes that were killed: who starts next removes it.
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
def shared_folder(parent: Path) -> Iterator[Path]:
    """Make a folder in `parent` and hold it while the block runs; before that, remove abandoned ones."""
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _locked(folder)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        os.close(lock)


def hold(folder: Path) -> int:
    """Hold a folder that another process made, until this one ends or closes the descriptor returned.

    Raises Unavailable when it is gone, because whoever made it was killed.
    """
    try:
        lock = os.open(folder / _LOCK, _FLAGS)
    except OSError as error:
        raise Unavailable(f"the folder {folder} is gone: whoever started this process has ended") from error
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def remove_abandoned(parent: Path) -> None:
    """Remove the folders that nobody holds; one without a lock may be of a program that knew of none."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), _taken(folder / _LOCK):
            rmtree(folder, ignore_errors=True)


def _locked(folder: Path) -> int:
    """Return a new lock; nobody sees it before it is held."""
    fresh = folder / "new.lock"
    lock = os.open(fresh, _FLAGS | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    fresh.rename(folder / _LOCK)
    return lock


@contextmanager
def _taken(path: Path) -> Iterator[None]:
    """Hold a lock alone; raises OSError when anybody else holds it."""
    lock = os.open(path, _FLAGS)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
