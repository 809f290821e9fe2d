"""A server with this HTTP protocol over a small application that echoes bodies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn

from adapter.server.http_protocol import HttpProtocol
from adapter.web.responses import HttpResponse

CALL = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
CLOSED = ANSWER.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    part = await receive()
    body = part["body"]
    while part["more_body"]:
        part = await receive()
        if part["type"] == "http.disconnect":
            return
        body += part["body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.01)
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": body})


class Echo:
    """The same application with hot paths; `fast` are the requests that took the fast path.

    `seconds` is how long a response takes.
    """

    def __init__(self, seconds: float = 0.01) -> None:
        self._seconds = seconds
        self.hot = {b"/": self, b"/slow": self}
        self.fast: list[bytes] = []
        self.called = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await echo(scope, receive, send)

    async def respond(self, headers: dict[bytes, bytes], body: bytes) -> HttpResponse:
        self.fast.append(body)
        self.called.set()
        await asyncio.sleep(self._seconds)
        return HttpResponse(200, body)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[str, int]]:
    """Serve an application; yields its address."""
    async with started(app) as (address, _):
        yield address


@asynccontextmanager
async def started(app: Any) -> AsyncIterator[tuple[tuple[str, int], uvicorn.Server]]:
    """Serve an application; yields its address, and the server, which stops at the end at the latest."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=HttpProtocol, ws="none", lifespan="off", log_config=None, server_header=False,
        date_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname(), server
    server.should_exit = True
    await serving


async def send_parts(address: tuple[str, int], *parts: bytes, pause: float = 0.05) -> bytes:
    """Send parts in order, close, and return all that is received; empty where the connection is reset.

    `pause` is in seconds, after each part; 0 closes in the same breath.
    """
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    with suppress(OSError):
        writer.write_eof()
    response = b""
    with suppress(ConnectionError):
        response = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return response
