"""Connections as this engine needs them, and the server's errors in our words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import asyncpg
from asyncpg import exceptions

from adapter.errors import StoreUnavailable
from adapter.store.postgres.hosts import by_host, first
from adapter.store.postgres.text import escape, unescape

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

#: Seconds for one statement, commit included. Senders give up after 5 s; the rest is for the slow parts of
#: a fail-over, after which the same connection may still be good.
STATEMENT_TIMEOUT = 10.0
#: Seconds to connect, less than the timeout of a sender, so that it receives the error.
CONNECT_TIMEOUT = 3.0

#: A process that hangs or is cut off with a transaction open must not hold its locks for long.
SETTINGS = {
    "application_name": "behaviour-discounts-adapter",
    "idle_in_transaction_session_timeout": "15s",
    "lock_timeout": "5s",
    "jit": "off",
    # What this program writes needs not be looked at for addresses later (schema 0011).
    "adapter.notes_addresses": "on",
    # This program merges and erases redemptions itself (schema 0013).
    "adapter.keeps_redemptions": "on",
}
#: What a batch asks is a handful of rows by key out of many, whatever the planner believes of arrays: one
#: generic plan that walks indexes, and so visits one partition per customer.
BY_KEY = {
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
}
#: The same for the rest of a transaction.
ONLY_BY_KEY = tuple(f"SET LOCAL {name} = {value}" for name, value in BY_KEY.items())
#: When a caller is gone we close the connection: the server looks for that, and stops (PostgreSQL 14).
READING = {"client_connection_check_interval": "500ms"}

_OUT_OF_ORDER = (
    OSError,
    TimeoutError,
    exceptions.PostgresConnectionError,
    exceptions.OperatorInterventionError,
    exceptions.InsufficientResourcesError,
    exceptions.ReadOnlySQLTransactionError,
    exceptions.LockNotAvailableError,
    exceptions.InvalidTransactionStateError,
    exceptions.PostgresSystemError,
    exceptions.InvalidAuthorizationSpecificationError,
    exceptions.InvalidCatalogNameError,
    exceptions.InvalidSchemaNameError,
    exceptions.InsufficientPrivilegeError,
    exceptions.TargetServerAttributeNotMatched,
    exceptions.InternalClientError,
)

#: What the server says of parameters that came with the connection.
_UNFIT = (
    exceptions.UndefinedObjectError,
    exceptions.InvalidParameterValueError,
    exceptions.CantChangeRuntimeParamError,
)

#: Types with smaller numbers are PostgreSQL's own, under the same number in every version and database.
_FIRST_ASSIGNED = 10_000
#: What the server said of its own types, by their numbers.
_own_types: dict[frozenset[int], Any] = {}
#: The statement of a question that was not asked; after one without a name the driver prepares again.
_NOT_ASKED = SimpleNamespace(name="none")


class _Connection(Connection):
    """A connection that asks for the parts of arrays once in a process.

    The driver knows no array but that of text. It would ask on every connection, twice, and each of these
    questions takes the server 10 ms.
    """

    async def _introspect_types(self, typeoids: Iterable[int], timeout: float | None) -> Any:  # noqa: ASYNC109 - the driver's own
        asked = frozenset(typeoids)
        if asked in _own_types:
            return _own_types[asked], _NOT_ASKED
        found, statement = await super()._introspect_types(asked, timeout)  # type: ignore[misc]
        if max(asked) < _FIRST_ASSIGNED:
            _own_types[asked] = found
        return found, statement


async def connect(dsn: str, settings: dict[str, str]) -> Connection:
    """Open a connection; of several hosts in the DSN, the first to say that it accepts writes."""
    return await first({host: _connect(one, settings) for host, one in by_host(dsn).items()})


async def _connect(dsn: str, settings: dict[str, str]) -> Connection:
    try:
        connection = await asyncpg.connect(
            dsn,
            connection_class=_Connection,
            timeout=CONNECT_TIMEOUT,
            command_timeout=STATEMENT_TIMEOUT,
            statement_cache_size=256,
            max_cached_statement_lifetime=0,
            server_settings=SETTINGS | settings,
            target_session_attrs=_writable(dsn),
        )
    except _UNFIT as error:
        raise StoreUnavailable(
            f"the server does not take a parameter of the store's URL ({error}): leave it out"
        ) from error
    except asyncpg.InterfaceError:
        raise
    except ValueError as error:
        raise StoreUnavailable(
            "the store's URL, or a PG… variable of the environment such as PGPORT, cannot be read"
        ) from error
    try:
        await prepare(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def prepare(connection: Connection) -> None:
    """Teach a connection to keep any text."""
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=escape, decoder=unescape, format="text"
    )


def _writable(dsn: str) -> Any:
    return None if "target_session_attrs" in dsn else "read-write"


def is_out_of_order(error: BaseException) -> bool:
    """Say whether an error means that the database cannot be used now, not that we asked wrongly."""
    if isinstance(error, exceptions.DataError):
        return False
    return isinstance(error, (*_OUT_OF_ORDER, asyncpg.InterfaceError))


@asynccontextmanager
async def transaction(connection: Connection, settings: Sequence[str] = ()) -> AsyncIterator[None]:
    """Commit what the block does, under `settings` (statements), or nothing of it.

    A connection whose state is not known is closed, which ends its transaction: the driver's own would wait
    for a rollback too, as long again as for the statement that got no answer.
    """
    await connection.execute("; ".join(("BEGIN", *settings)))
    try:
        yield
        await connection.execute("COMMIT")
    except BaseException as error:
        if is_out_of_order(error) or not isinstance(error, Exception):
            connection.terminate()
        else:
            await connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Turn what the driver raises when the database cannot be used into StoreUnavailable."""
    try:
        yield
    except Exception as error:
        if not is_out_of_order(error):
            raise
        reason = str(error) or type(error).__name__
        raise StoreUnavailable(
            f"the store {shown} cannot be used now ({reason}): see that the database runs, has room, "
            "and lets this user write",
            retry_after=2,
        ) from error
