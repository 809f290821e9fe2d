"""Scripts that are run and undone: each sees what those before it saved, and nothing is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import apsw

from adapter.store.naming import NamedTransaction
from adapter.store.sqlite.transaction import SqliteTransaction, drive
from adapter.store.transaction_contract import Transaction
from adapter.store.values import NOTHING_KNOWN, KnownAlready

T = TypeVar("T")
#: A script runs again when it has taken a known event for new; each time one more is known.
_ATTEMPTS = 5


def rehearsed(
    connection: apsw.Connection, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]
) -> list[T]:
    """Run scripts in the transaction that is open; its caller rolls it back."""
    return [_rehearsed(connection, script) for script in scripts]


def _rehearsed(connection: apsw.Connection, script: Callable[[Transaction], Awaitable[T]]) -> T:
    known = NOTHING_KNOWN
    for _ in range(_ATTEMPTS - 1):
        connection.execute("SAVEPOINT rehearsal")
        try:
            return drive(lambda keyed: script(NamedTransaction(keyed)), SqliteTransaction(connection, known))
        except KnownAlready as found:
            known = found.known
            connection.execute("ROLLBACK TO rehearsal")
        finally:
            connection.execute("RELEASE rehearsal")
    return drive(lambda keyed: script(NamedTransaction(keyed)), SqliteTransaction(connection, known))
