"""A webhook endpoint on this machine that remembers what was pushed to it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """`pushed` has, by code, how often its issue came under which webhook-id; `count` counts every push.

    `answer` is the status line that every push gets.
    """

    def __init__(self) -> None:
        self.url = ""
        self.pushed: dict[str, Counter[str]] = defaultdict(Counter)
        self.count = 0
        self.answer = "204 No Content"
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = True

    @property
    def environ(self) -> dict[str, str]:
        """What makes a server push here."""
        return {
            "ADAPTER_DESTINATIONS_WEBHOOK_URL": self.url,
            "ADAPTER_DESTINATIONS_WEBHOOK_ALLOW_PRIVATE_ADDRESSES": "true",
            "ADAPTER_DESTINATIONS_WEBHOOK_SECRETS": SECRET,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every push on one connection."""
        if (task := asyncio.current_task()) is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        if not self._open:  # taken just before the end, which knew nothing of it yet
            writer.transport.abort()
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
                headers = dict(line.split(": ", 1) for line in head[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                self._take(headers["webhook-id"], body)
                writer.write(f"HTTP/1.1 {self.answer}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            self._writers.discard(writer)

    async def close(self) -> None:
        """Break what is still connected, and wait until it has ended."""
        self._open = False
        for writer in list(self._writers):
            writer.transport.abort()
        for _ in range(10):  # a connection that was just taken reaches `serve` some turns of the loop later
            await asyncio.sleep(0)
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _take(self, id_: str, body: bytes) -> None:
        push = msgspec.json.decode(body)
        self.count += 1
        if push["type"] == "discount.issued":
            self.pushed[push["data"]["code"]][id_] += 1


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Receive on a free port for as long as the block runs."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()
