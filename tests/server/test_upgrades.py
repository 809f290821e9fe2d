"""Requests with an Upgrade header are served over HTTP/1.1, with their whole body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.serving import ANSWER, CALL, CLOSED, Echo, send_parts, served

#: What the JDK's HttpClient adds to every call over plain http.
ASKED = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\nUpgrade: h2c\r\n"
ASKING = CALL.replace(b"Host", ASKED + b"Host")
CHUNKED = ASKING.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").replace(
    b"{}", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        pytest.param([ASKING], ANSWER, id="with its body in the same piece"),
        pytest.param([ASKING[:-2], ASKING[-2:]], ANSWER, id="with its body behind"),
        pytest.param([ASKING[:40], ASKING[40:-1], ASKING[-1:]], ANSWER, id="in three pieces"),
        pytest.param([CHUNKED], ANSWER, id="in chunks"),
        pytest.param([ASKING.replace(b"h2c", b"websocket")], ANSWER, id="for WebSocket"),
        pytest.param([ASKING + CALL + ASKING], ANSWER * 3, id="between other calls"),
        pytest.param([ASKING, CALL, ASKING], ANSWER * 3, id="before other calls"),
        pytest.param([ASKING.replace(b"Upgrade, ", b"close, Upgrade, ")], CLOSED, id="for the last time"),
        pytest.param([ASKING.replace(b"HTTP/1.1", b"HTTP/1.0")], CLOSED, id="in the old version"),
    ],
)
async def test_a_request_with_upgrade_keeps_its_body(
    parts: list[bytes], answers: bytes, address: tuple[str, int]
) -> None:
    # Where our end is seen before the last response is begun, that one says that it is the last.
    last = answers[: -len(ANSWER)] + CLOSED
    assert await send_parts(address, *parts) in (answers, last)


async def test_pipelined_requests_with_upgrade_are_answered_in_order(address: tuple[str, int]) -> None:
    calls = [ASKING.replace(b"{}", b"%02d" % number) for number in range(30)]
    answers = [ANSWER.replace(b"{}", b"%02d" % number) for number in range(30)]
    said_back = await send_parts(address, b"".join(calls))
    # Where our end is seen before the last response is begun, that one says that it is the last.
    assert said_back.replace(b"connection: close\r\n", b"") == b"".join(answers)


async def test_a_complete_request_that_expects_100_continue_takes_the_fast_path() -> None:
    app = Echo()
    async with served(app) as address:
        reader, writer = await asyncio.open_connection(*address)
        for body in (b"{}", b"[]"):
            writer.write(ASKING.replace(b"{}", body))
            await reader.readuntil(body)
        writer.close()
        await writer.wait_closed()
    assert app.fast == [b"{}", b"[]"]


async def test_an_upgrade_that_expects_100_continue_receives_it(address: tuple[str, int]) -> None:
    head = ASKING[:-6] + b"\r\nExpect: 100-continue\r\n\r\n"
    assert await send_parts(address, head, b"{}") == b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER


async def test_connect_requests_are_rejected(address: tuple[str, int]) -> None:
    response = await send_parts(
        address, b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n" + CALL
    )
    assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert response.count(b"HTTP/1.1") == 1


async def test_a_redemption_with_upgrade_is_received_as_sent(app: Callable[..., Any], services: Any) -> None:
    body = b'{"source_id":"u","units":2}'
    head = b"POST /v1/discounts/HV15-8K2F/redeem HTTP/1.1\r\nHost: localhost\r\n" + ASKED
    async with served(app()) as address:
        response = await send_parts(address, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert b" 409 " in response
    [(move, _)] = services.moves
    assert (move.source_id, move.units) == ("u", 2)


async def test_a_webhook_with_upgrade_is_accepted(app: Callable[..., Any], services: Any) -> None:
    body = b'{"type":"track","event":"x","userId":"u","messageId":"m"}'
    head = b"POST /webhooks/segment HTTP/1.1\r\nHost: localhost\r\n" + ASKED
    async with served(app()) as address:
        response = await send_parts(address, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert b" 200 " in response
    assert services.taken[0].messages[0].document["event"] == "x"
