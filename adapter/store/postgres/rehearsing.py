"""Scripts that are run and undone: each sees what those before it saved, and nothing is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from adapter.store.naming import NamedTransaction
from adapter.store.postgres.committer import ConnectionPool
from adapter.store.postgres.connection import Connection
from adapter.store.postgres.statements import SQL
from adapter.store.postgres.transaction import PostgresTransaction
from adapter.store.transaction_contract import Transaction
from adapter.store.values import NOTHING_KNOWN, KnownAlready

T = TypeVar("T")
#: A script runs again when it has taken a known event for new; each time one more is known.
_ATTEMPTS = 5


class _Undone(Exception):
    """Has the transaction rolled back, once every script has run."""


async def rehearsed(
    pool: ConnectionPool, scripts: Sequence[Callable[[Transaction], Awaitable[T]]]
) -> list[T]:
    """Run scripts in one transaction, which is rolled back."""
    results: list[T] = []

    async def work(connection: Connection, _again: bool) -> tuple[Any, str]:
        results[:] = [await _rehearsed(connection, script) for script in scripts]
        raise _Undone

    try:
        await pool.run(work)
    except _Undone:
        return results
    raise AssertionError("the transaction was not rolled back")


async def _rehearsed(connection: Connection, script: Callable[[Transaction], Awaitable[T]]) -> T:
    known = NOTHING_KNOWN
    for attempt in range(1, _ATTEMPTS + 1):
        await connection.execute("SAVEPOINT rehearsal")
        transaction = PostgresTransaction(connection, None, known, locking=True)
        try:
            result = await script(NamedTransaction(transaction))
        except KnownAlready as found:
            known = found.known
            await connection.execute("ROLLBACK TO rehearsal")
            if attempt == _ATTEMPTS:
                raise
            continue
        await transaction.finish()
        if transaction.end != SQL["commit"]:
            await connection.execute(SQL["count_shared"])
        await connection.execute("RELEASE rehearsal")
        return result
    raise AssertionError
