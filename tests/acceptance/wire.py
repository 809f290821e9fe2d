"""A wire between an adapter and its database that can be cut, stalled and slowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Wire:
    """Passes bytes on both ways between its own `port` and the target's.

    `delay` is in seconds each way. While it is stalled, bytes and new connections are taken and go nowhere,
    as where a firewall has lost its memory. While it is cut, connections break and new ones are refused.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._whole = False
        self.port = port
        self.delay = 0.0

    async def open(self) -> None:
        """Take connections."""
        self._whole = True
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break every connection and refuse new ones; `open` mends it."""
        self._whole = False
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._flowing.set()
        self.delay = 0.0

    async def ended(self) -> None:
        """Wait until every connection that was taken has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def stall(self) -> None:
        """Pass nothing on until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass everything on again, what was held back too."""
        self._flowing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with suppress(OSError):
            await self._flowing.wait()
            if not self._whole:  # taken just before the cut, which knew nothing of it yet
                writer.transport.abort()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
        self._writers.discard(writer)


@asynccontextmanager
async def wired(target: int) -> AsyncIterator[Wire]:
    """Run a wire to a port of this machine while the block runs."""
    wire = Wire(target)
    await wire.open()
    try:
        yield wire
    finally:
        await wire.cut()
        await asyncio.sleep(0.2)  # what the system has taken meanwhile is handed over
        await wire.ended()
