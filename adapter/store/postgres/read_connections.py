"""The connections that read, lease and settle: a few, opened when needed, kept while they are good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from adapter.errors import StoreUnavailable
from adapter.store.postgres.connection import READING, Connection, connect, translated

T = TypeVar("T")
_READERS = 4
#: Seconds to wait for one of them, as long as a sender waits for its answer.
_PATIENCE = 5.0


class ReadConnections:
    """Runs queries outside transactions; `_idle` are the connections without one, None of a closed store.

    `dsn` is what libpq takes; `shown` is how messages name it, without the password.
    """

    def __init__(self, dsn: str, shown: str) -> None:
        self._dsn, self._shown = dsn, shown
        self._room = asyncio.Semaphore(_READERS)
        self._idle: list[Connection] | None = None

    async def _peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Read over a connection of its own, whatever schema there is."""
        with translated(self._shown):
            connection = await connect(self._dsn, READING)
            try:
                return await work(connection)
            finally:
                connection.terminate()

    async def _read_or_peek(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await (self._peek(work) if self._idle is None else self._read(work))

    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        with translated(self._shown):
            async with self._reader() as connection:
                return await work(connection)

    @asynccontextmanager
    async def _roomy(self) -> AsyncIterator[None]:
        """Wait in line for a connection, not for ever: each one before us may wait for its own timeout."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._room.acquire()
        except TimeoutError as error:
            message = f"the store {self._shown} is too slow: see what keeps the database, or the way to it"
            raise StoreUnavailable(message, retry_after=2) from error
        try:
            yield
        finally:
            self._room.release()

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[Connection]:
        async with self._roomy():
            if self._idle is None:
                raise StoreUnavailable(f"the store {self._shown} is closed: open it first")
            connection = self._idle.pop() if self._idle else await connect(self._dsn, READING)
            if connection.is_closed():
                connection = await connect(self._dsn, READING)
            try:
                yield connection
            except BaseException:
                connection.terminate()
                raise
            if self._idle is None:
                connection.terminate()
            elif not connection.is_closed():
                self._idle.append(connection)
