"""The one connection of a process that decides: a transaction at a time, run again where that helps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import asyncpg
from asyncpg import exceptions

from adapter.errors import Unavailable
from adapter.store.postgres.connection import BY_KEY, Connection, connect, is_out_of_order, translated

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]
_ATTEMPTS = 10


class Again(Exception):
    """What the transaction has locked is not what it had read: run it again."""


_PASSING = (
    Again,
    exceptions.DeadlockDetectedError,
    exceptions.SerializationError,
    # Another process has migrated the schema; the driver has thrown its prepared statements away.
    exceptions.InvalidCachedStatementError,
    exceptions.OutdatedSchemaCacheError,
)


class Committer:
    """Connects when first needed, and again after the connection was lost."""

    def __init__(self, dsn: str, shown: str) -> None:
        self._dsn = dsn
        self._shown = shown
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._closed = True
        self._warned = False

    def open(self) -> None:
        """Let work in."""
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Run work in a transaction of its own; a caller that is cancelled does not stop it half-way."""
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(work)))

    async def close(self) -> None:
        """Finish what runs, then disconnect."""
        self._closed = True
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None and not connection.is_closed():
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.close(timeout=2)

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._turn:
            if self._closed:
                raise Unavailable(f"the store {self._shown} is closed: open it first")
            with translated(self._shown):
                return await self._repeat(work)

    async def _repeat(self, work: Work[T]) -> T:
        for attempt in range(_ATTEMPTS):
            if attempt:
                await asyncio.sleep(0.002 * attempt)
            try:
                return await self._once(work)
            except _PASSING:
                continue
            except exceptions.UniqueViolationError as error:
                if error.table_name != "codes":
                    raise
        raise Unavailable(f"the store {self._shown} is too busy: {_ATTEMPTS} attempts met other transactions")

    async def _once(self, work: Work[T]) -> T:
        connection = await self._connected()
        try:
            async with connection.transaction():
                result = await work(connection)
                self._warned = False
            if self._warned:
                raise ConnectionError("the commit was cut off while it waited for a standby")
            return result
        except BaseException as error:
            if is_out_of_order(error) or not isinstance(error, Exception):
                # What state the server is in is not known: a new connection starts from nothing.
                connection.terminate()
                self._connection = None
            raise

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, BY_KEY)
            self._connection.add_log_listener(self._hear)
        return self._connection

    def _hear(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        """Note a warning: whoever cancels a commit that waits for a standby has the server call it done."""
        self._warned = self._warned or message.severity_en == "WARNING"
