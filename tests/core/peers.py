"""An adapter and its core in one process, with a wire between them that can be cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.core.conftest import Instance

#: Says of a request's operations what becomes of it: "pass", "lose the answer", "refuse".
Fate = Callable[[list[dict[str, Any]]], str]


class Wire:
    """Serves the core's `POST /v1/evaluate` on a port; `fate` decides over each request.

    `sent` has the operations of each request, `held` is cleared to let requests wait.
    """

    def __init__(self, core: Instance) -> None:
        self.core = core
        self.sent: list[list[dict[str, Any]]] = []
        self.fate: Fate = lambda _: "pass"
        self.open = asyncio.Event()
        self.open.set()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                lines = (line.partition(":") for line in head.split("\r\n")[1:])
                headers = {name: value.strip() for name, _, value in lines}
                body = await reader.readexactly(int(headers["content-length"]))
                operations = json.loads(body)["operations"]
                self.sent.append(operations)
                await self.open.wait()
                fate = self.fate(operations)
                if fate == "refuse":
                    break
                response = await self._ask(headers, body)
                if fate == "lose the answer":
                    break
                start = (
                    f"HTTP/1.1 {response.status_code} X\r\ncontent-length: {len(response.content)}\r\n\r\n"
                )
                writer.write(start.encode() + response.content)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def _ask(self, headers: dict[str, str], body: bytes) -> httpx.Response:
        token = {"authorization": headers["authorization"]} if "authorization" in headers else {}
        return await self.core.client.post("/v1/evaluate", content=body, headers=token)


@asynccontextmanager
async def wire_to(core: Instance) -> AsyncIterator[Wire]:
    """Serve a core on a free port."""
    wire = Wire(core)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        wire.open.set()
        server.close()


async def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition holds; it may be a coroutine function."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)
