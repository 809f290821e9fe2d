"""Headers and body of a response are written together, and nothing else about HTTP changes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from adapter.server.write_buffer import WriteBuffer
from tests.server.serving import ANSWER, CALL, Echo, echo, send_parts, served


async def test_headers_and_body_of_a_response_are_written_together(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await loop.sock_sendall(client, CALL)
            assert await loop.sock_recv(client, 4096) == ANSWER


async def test_pipelined_requests_are_answered_in_order(address: tuple[str, int]) -> None:
    calls = [CALL.replace(b"{}", b"%02d" % number) for number in range(10)]
    answers = [ANSWER.replace(b"{}", b"%02d" % number) for number in range(10)]
    assert await send_parts(address, b"".join(calls)) == b"".join(answers)


async def test_a_body_after_its_headers_is_sent_when_it_arrives(address: tuple[str, int]) -> None:
    assert await send_parts(address, CALL.replace(b"POST /", b"POST /slow"), CALL) == ANSWER + ANSWER


async def test_a_request_that_expects_100_continue_receives_it(address: tuple[str, int]) -> None:
    head, body = CALL.split(b"\r\n\r\n")
    response = await send_parts(address, head + b"\r\nExpect: 100-continue\r\n\r\n", body)
    assert response == b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER


async def test_the_last_response_is_written_before_the_connection_closes(address: tuple[str, int]) -> None:
    response = await send_parts(address, CALL.replace(b"Host", b"Connection: close\r\nHost"))
    assert response == ANSWER.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


async def test_headers_without_a_body_are_written(address: tuple[str, int]) -> None:
    response = await send_parts(address, b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert response == ANSWER.replace(b"length: 2", b"length: 0").removesuffix(b"{}")


async def test_a_broken_request_is_refused_and_the_connection_closed(address: tuple[str, int]) -> None:
    assert (await send_parts(address, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_complete_request_takes_the_fast_path() -> None:
    app = Echo()
    async with served(app) as address:
        await send_parts(address, CALL, CALL.replace(b"{}", b"[]"))
    assert app.fast == [b"{}", b"[]"]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([CALL[:-2], CALL[-2:]], id="a body that comes later"),
        pytest.param([CALL[:-1], CALL[-1:]], id="a body in two pieces"),
        pytest.param([CALL[:20], CALL[20:-1], CALL[-1:]], id="a head in two pieces"),
        pytest.param([CALL.replace(b"POST", b"PUT")], id="another method"),
        pytest.param([CALL.replace(b"POST /", b"POST /else")], id="another path"),
        pytest.param([CALL.replace(b"POST /", b"POST /?a=1")], id="a query"),
    ],
)
async def test_other_requests_are_served_by_uvicorn_and_the_next_one_is_fast_again(
    parts: list[bytes],
) -> None:
    app = Echo()
    async with served(echo) as plain, served(app) as address:
        assert await send_parts(address, *parts, CALL) == await send_parts(plain, *parts, CALL)
        assert app.fast in ([], [b"{}"])
        assert await send_parts(address, CALL) == ANSWER


async def test_requests_after_a_fast_one_wait_for_its_response() -> None:
    app = Echo()
    calls = [CALL.replace(b"{}", b"%02d" % number) for number in range(5)]
    expected = b"".join(ANSWER.replace(b"{}", b"%02d" % number) for number in range(5))
    async with served(app) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"".join(calls))
        assert await reader.readexactly(len(expected)) == expected
        writer.close()
    assert app.fast == [b"00"]


async def test_a_disconnected_client_gets_no_response_and_the_next_one_does() -> None:
    app = Echo()
    async with served(app) as address:
        _, writer = await asyncio.open_connection(*address)
        writer.write(CALL)
        await writer.drain()
        writer.transport.abort()
        await asyncio.sleep(0.03)
        assert await send_parts(address, CALL) == ANSWER
    assert len(app.fast) == 2


async def test_a_stopping_server_answers_fast_path_requests_and_closes() -> None:
    app = Echo(seconds=0.3)
    async with served(app) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(CALL)
        await app.called.wait()
    response = await reader.read()
    writer.close()
    assert response == ANSWER.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


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


async def test_writes_of_one_loop_iteration_are_joined() -> None:
    transport = Recorded()
    gathering = WriteBuffer(transport, asyncio.get_running_loop())
    gathering.write(b"head ")
    gathering.write(b"body ")
    await asyncio.sleep(0)
    gathering.write(b"more")
    gathering.close()
    await asyncio.sleep(0)
    assert transport.written == [b"head body ", b"more", b"closed"]


async def test_large_writes_are_not_delayed_so_that_flow_control_works() -> None:
    transport = Recorded()
    gathering = WriteBuffer(transport, asyncio.get_running_loop())
    gathering.write(b"head ")
    gathering.write(b"x" * 70_000)
    assert transport.written == [b"head " + b"x" * 70_000]
    gathering.write(b"end")
    await asyncio.sleep(0)
    assert transport.written[1:] == [b"end"]
