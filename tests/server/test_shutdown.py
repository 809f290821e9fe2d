"""A server that stops serves the requests that new connections bring, and closes idle ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from adapter.server import http_protocol
from tests.server.serving import ANSWER, CALL, CLOSED, Echo, echo, started


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)


class Client:
    """A connection, and its protocol in the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: Any) -> None:
        self.reader, self.protocol = reader, protocol
        self._writer = writer

    async def begin(self, part: bytes) -> None:
        """Send a part of a request, and wait until the server has some of it."""
        self._writer.write(part)
        if part:
            await until(lambda: self.protocol.timeout_keep_alive_task is None)

    def send(self, part: bytes) -> None:
        """Send the rest."""
        self._writer.write(part)

    async def answer(self) -> bytes:
        """Return the answer to one request, after which the server is idle."""
        answer = await self.reader.readexactly(len(ANSWER))
        await until(lambda: self.protocol.timeout_keep_alive_task is not None)
        return answer


@pytest.fixture(params=["asgi", "fast path"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with started(echo if request.param == "asgi" else Echo()) as (address, server):
        reader, writer = await asyncio.open_connection(*address)
        await until(lambda: server.server_state.connections)
        [protocol] = server.server_state.connections
        yield Client(reader, writer, protocol)
        writer.close()


@pytest.mark.parametrize("before", [0, 1, 20, len(CALL) - 1])
async def test_the_first_request_of_a_connection_is_answered_although_the_server_stops(
    client: Client, before: int
) -> None:
    await client.begin(CALL[:before])
    client.protocol.shutdown()
    client.send(CALL[before:])
    assert await client.reader.read() == CLOSED


async def test_a_later_request_that_has_begun_is_answered_too(client: Client) -> None:
    client.send(CALL)
    assert await client.answer() == ANSWER
    await client.begin(CALL[:20])
    client.protocol.shutdown()
    client.send(CALL[20:])
    assert await client.reader.read() == CLOSED


async def test_a_connection_between_two_requests_is_closed_at_once(client: Client) -> None:
    client.send(CALL)
    assert await client.answer() == ANSWER
    client.protocol.shutdown()
    assert await client.reader.read() == b""


async def test_a_new_connection_that_brings_no_request_is_closed_in_time(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "FIRST_REQUEST_SECONDS", 0.01)
    client.protocol.shutdown()
    assert await client.reader.read() == b""
