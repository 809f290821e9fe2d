"""The connections of a process that decide: a transaction on each at a time, run again where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg
from asyncpg import exceptions

from adapter.errors import StoreUnavailable
from adapter.store.postgres.connection import BY_KEY, Connection, connect, is_out_of_order, translated
from adapter.store.values import KnownAlready
from adapter.tasks import unheard

T = TypeVar("T")
#: Given a connection inside a transaction, and whether it is a later attempt; returns what came of it and the
#: statement that commits it.
Work = Callable[[Connection, bool], Awaitable[tuple[T, str]]]
_ATTEMPTS = 10
#: While one decides or commits, the other may begin.
_CONNECTIONS = 2

_PASSING = (
    exceptions.DeadlockDetectedError,
    exceptions.SerializationError,
    # Another process has migrated the schema; the driver has thrown its prepared statements away.
    exceptions.InvalidCachedStatementError,
    exceptions.OutdatedSchemaCacheError,
    KnownAlready,
)


#: Tables in which what one transaction has taken is for no other: the script that comes second runs again.
_TAKEN = ("codes", "order_codes", "rollbacks", "vouchers")


class ConnectionPool:
    """Connects when first needed, and again after a connection was lost."""

    def __init__(self, dsn: str, shown: str) -> None:
        self._dsn = dsn
        self._shown = shown
        self._room = asyncio.Semaphore(_CONNECTIONS)
        self._idle: list[_PooledConnection] = []
        self._closed = True

    def open(self) -> None:
        """Let work in."""
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Run work in a transaction of its own; a caller that is cancelled does not stop it half-way."""
        return await asyncio.shield(unheard(asyncio.ensure_future(self._translated(work))))

    async def close(self) -> None:
        """Finish what runs, then disconnect."""
        self._closed = True
        for _ in range(_CONNECTIONS):
            await self._room.acquire()
        idle, self._idle = self._idle, []
        for lane in idle:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await lane.connection.close(timeout=2)
        for _ in range(_CONNECTIONS):
            self._room.release()

    async def _translated(self, work: Work[T]) -> T:
        with translated(self._shown):
            return await self._repeat(work)

    async def _repeat(self, work: Work[T]) -> T:
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.002 * attempt)
            try:
                return await self._once(work, attempt > 0)
            except _PASSING:
                continue
            except exceptions.UniqueViolationError as error:
                if error.table_name not in _TAKEN:
                    raise
        raise StoreUnavailable(
            f"the store {self._shown} is too busy: {_ATTEMPTS} attempts met other transactions"
        )

    async def _once(self, work: Work[T], again: bool) -> T:
        async with self._room:
            if self._closed:
                raise StoreUnavailable(f"the store {self._shown} is closed: open it first")
            lane = await self._lane()
            try:
                return await lane.run(work, again)
            finally:
                if not lane.connection.is_closed():
                    self._idle.append(lane)

    async def _lane(self) -> _PooledConnection:
        while self._idle:
            lane = self._idle.pop()
            if not lane.connection.is_closed():
                return lane
        return _PooledConnection(await connect(self._dsn, BY_KEY))


class _PooledConnection:
    """One connection; after what leaves it in an unknown state it is closed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._warned = False
        connection.add_log_listener(self._hear)

    async def run(self, work: Work[T], again: bool) -> T:
        """Run work in a transaction."""
        connection = self.connection
        try:
            await connection.execute("BEGIN")
            try:
                result, commit = await work(connection, again)
                await self._end(commit)
            except Exception as error:
                if not is_out_of_order(error):
                    await connection.execute("ROLLBACK")
                raise
            return result
        except BaseException as error:
            if is_out_of_order(error) or not isinstance(error, Exception):
                # What state the server is in is not known: a new connection starts from nothing.
                connection.terminate()
            raise

    async def _end(self, commit: str) -> None:
        """Commit; raises where the server says that it did, but it did not, or the standbys have it not."""
        self._warned = False
        if await self.connection.execute(commit) != "COMMIT":
            # A script that swallowed an error of the server: nothing of it is there.
            raise exceptions.InvalidTransactionStateError("the transaction had failed")
        if self._warned:
            raise ConnectionError("the commit was cut off while it waited for a standby")

    def _hear(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        """Note a warning: a commit cancelled while it waited for a standby is reported as done."""
        self._warned = self._warned or message.severity_en == "WARNING"
