"""Head and body of a response leave together, and nothing else about HTTP changes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from adapter.web.connection import Connection, Gathering

CALL = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'  # fmt: skip


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.01)
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    """Where a server answers with the bodies that it is sent."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        echo, http=Connection, ws="none", lifespan="off", log_config=None, server_header=False,
        date_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()
    server.should_exit = True
    await serving


async def said(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send parts one after the other, close, and return all that comes back."""
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def test_head_and_body_of_an_answer_come_in_one_piece(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await loop.sock_sendall(client, CALL)
            assert await loop.sock_recv(client, 4096) == ANSWER


async def test_calls_sent_at_once_are_answered_in_their_order(address: tuple[str, int]) -> None:
    calls = [CALL.replace(b"{}", b"%02d" % number) for number in range(10)]
    answers = [ANSWER.replace(b"{}", b"%02d" % number) for number in range(10)]
    assert await said(address, b"".join(calls)) == b"".join(answers)


async def test_a_body_that_comes_later_than_its_head_is_sent_when_it_comes(address: tuple[str, int]) -> None:
    assert await said(address, CALL.replace(b"POST /", b"POST /slow"), CALL) == ANSWER + ANSWER


async def test_a_sender_that_asks_first_is_told_to_go_on(address: tuple[str, int]) -> None:
    head, body = CALL.split(b"\r\n\r\n")
    answer = await said(address, head + b"\r\nExpect: 100-continue\r\n\r\n", body)
    assert answer == b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER


async def test_the_last_answer_is_written_before_the_connection_is_closed(address: tuple[str, int]) -> None:
    answer = await said(address, CALL.replace(b"Host", b"Connection: close\r\nHost"))
    assert answer == ANSWER.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


async def test_a_head_alone_is_written_too(address: tuple[str, int]) -> None:
    assert await said(address, b"HEAD / HTTP/1.1\r\nHost: here\r\n\r\n") == ANSWER.replace(
        b"2\r\n\r\n{}", b"0\r\n\r\n"
    )


async def test_what_is_broken_is_refused_and_the_connection_closed(address: tuple[str, int]) -> None:
    assert (await said(address, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 Bad Request\r\n")


class Recorded(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.written.append(b"closed")

    def is_closing(self) -> bool:
        return b"closed" in self.written


async def test_what_one_step_writes_leaves_joined_and_nothing_is_written_twice() -> None:
    transport = Recorded()
    gathering = Gathering(transport, asyncio.get_running_loop())
    gathering.write(b"head ")
    gathering.write(b"body ")
    await asyncio.sleep(0)
    gathering.write(b"more")
    gathering.close()
    await asyncio.sleep(0)
    assert transport.written == [b"head body ", b"more", b"closed"]


async def test_much_is_written_at_once_so_that_the_transport_can_hold_its_sender_back() -> None:
    transport = Recorded()
    gathering = Gathering(transport, asyncio.get_running_loop())
    gathering.write(b"head ")
    gathering.write(b"x" * 70_000)
    assert transport.written == [b"head " + b"x" * 70_000]
    gathering.write(b"end")
    await asyncio.sleep(0)
    assert transport.written[1:] == [b"end"]
