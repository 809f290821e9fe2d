"""A connection as this engine needs it, and the driver's errors in our words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import apsw

from adapter.errors import StoreUnavailable

#: Milliseconds to wait for a lock: only a backup or a stray shell can hold one, and a sender may wait 4 s.
_PATIENCE = 1_000

_OUT_OF_ORDER = (
    apsw.FullError,
    apsw.IOError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.NoMemError,
    apsw.ProtocolError,
    apsw.PermissionsError,
    apsw.InterruptError,
    apsw.ConnectionClosedError,
)
_REMEDIES: dict[type[apsw.Error], str] = {
    apsw.FullError: "free some space on its disk",
    apsw.BusyError: "another program has it locked: let that program finish",
    apsw.LockedError: "another program has it locked: let that program finish",
    apsw.ReadOnlyError: "make the file and its folder writable for this user",
    apsw.CantOpenError: "check that its folder exists and is writable for this user",
    apsw.CorruptError: "restore it from a backup",
    apsw.NotADBError: "the file is something else than a store: name another",
}


def connect(path: str, *, read_only: bool = False) -> apsw.Connection:
    """Open the file; WAL with synchronous FULL, so that a commit that returned survives a power cut."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(path, flags=flags, statementcachesize=256)
    connection.set_busy_timeout(_PATIENCE)
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
    connection.execute("PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY").fetchall()
    return connection


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what the driver raises when the file cannot be used into StoreUnavailable."""
    try:
        yield
    except _OUT_OF_ORDER as error:
        remedy = _REMEDIES.get(type(error), "see the disk's and the system's logs")
        raise StoreUnavailable(
            f"the store {path} cannot be used now ({error}): {remedy}", retry_after=5
        ) from error


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Commit what happens inside, or none of it; the connection is fit for use after either."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


@contextmanager
def snapshot(connection: apsw.Connection) -> Iterator[None]:
    """Let all reads inside see one moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def begun(connection: apsw.Connection) -> bool:
    """Begin a transaction if that takes no waiting; returns whether it did."""
    connection.set_busy_timeout(0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except apsw.BusyError:
        return False
    finally:
        connection.set_busy_timeout(_PATIENCE)
    return True


def roll_back(connection: apsw.Connection) -> None:
    """Undo what is open; some failures (a full disk among them) have done so already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def array(values: Iterable[str]) -> object:
    """Return text as an array to bind; as bytes, because an array of text ends at a zero character."""
    return apsw.carray(tuple(value.encode() for value in values))
