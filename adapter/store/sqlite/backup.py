"""The file as of one moment, into another: also while a server has it open."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import apsw

from adapter.errors import Refused, StoreUnavailable
from adapter.store.sqlite.connection import connect
from adapter.store.sqlite.open_file import expect_readable, mark_closed


def back_up(path: str, into: Path) -> int:
    """Write all that is committed into a new file, whole and on the disk, or not at all; return its bytes.

    It only reads, so it takes no lock, and writers do not wait for it. Raises Refused when the new file
    is there already, StoreUnavailable when either file cannot be used.
    """
    if into.exists():
        raise Refused(f"{into} exists already: name a new file")
    try:
        descriptor, part = tempfile.mkstemp(dir=into.parent, prefix=f"{into.name}.", suffix=".part")
        try:
            _write(path, part)
            os.fsync(descriptor)
            size = os.fstat(descriptor).st_size
            Path(part).rename(into)
        finally:
            os.close(descriptor)
            Path(part).unlink(missing_ok=True)
        _settle(into.parent)
        return size
    except (OSError, apsw.Error) as error:
        raise StoreUnavailable(
            f"the store {path} cannot be backed up to {into} ({error}): see that the folder is there, "
            "has room, and is writable for this user"
        ) from error


def _write(path: str, part: str) -> None:
    expect_readable(path)
    connection = connect(path, read_only=True)
    try:
        # One snapshot. The backup API would start again after each commit of another connection.
        connection.execute("VACUUM INTO ?", (part,))
    finally:
        connection.close()
    mark_closed(part)


def _settle(folder: Path) -> None:
    """Put the new file's name on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
