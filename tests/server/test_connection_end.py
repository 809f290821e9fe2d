"""When a connection ends, complete requests get their responses, and incomplete ones have no effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.serving import ANSWER, CALL, CLOSED, send_parts, served

SLOW = CALL.replace(b"POST /", b"POST /slow")
ELSE = CALL.replace(b"POST /", b"POST /else")
CHUNKED = ELSE.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked").removesuffix(b"{}")
SHORT = CALL.replace(b"Length: 2", b"Length: 1")
SHORT_ANSWER = CLOSED.replace(b"length: 2", b"length: 1").removesuffix(b"}")


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(CALL + b"nonsense\r\n\r\n", CLOSED, id="nonsense"),
        pytest.param(SLOW + b"nonsense\r\n\r\n" + CALL, CLOSED, id="nonsense and a call"),
        pytest.param(SHORT, SHORT_ANSWER, id="a byte more than was announced"),
        pytest.param(SLOW + CALL + b"nonsense\r\n\r\n", ANSWER + CLOSED, id="nonsense behind two"),
        pytest.param(ELSE + b"\0", CLOSED, id="a zero byte"),
    ],
)
async def test_a_request_before_broken_bytes_is_answered(
    sent: bytes, answers: bytes, address: tuple[str, int]
) -> None:
    assert await send_parts(address, sent) == answers


@pytest.mark.parametrize(
    ("parts", "before"),
    [
        pytest.param([CHUNKED + b"zz\r\n"], b"", id="in one read"),
        pytest.param([CHUNKED, b"zz\r\n"], b"", id="in a later read"),
        pytest.param([CHUNKED + b"1\r\n{\r\n", b"zz\r\n"], b"", id="behind a good chunk"),
        pytest.param([SLOW + CHUNKED + b"zz\r\n"], ANSWER, id="behind another request"),
        pytest.param([SLOW + SLOW + CHUNKED + b"zz\r\n" + CALL], ANSWER * 2, id="behind two others"),
    ],
)
async def test_a_broken_chunk_is_reported(
    parts: list[bytes], before: bytes, address: tuple[str, int]
) -> None:
    response = await send_parts(address, *parts)
    assert response.startswith(before + b"HTTP/1.1 400 ")
    assert response.count(b"HTTP/1.1 400 ") == response.count(b"connection: close") == 1


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(CALL, ANSWER, id="one call"),
        pytest.param(SLOW, ANSWER, id="one call that takes a while"),
        pytest.param(SLOW + CALL, ANSWER * 2, id="two calls"),
        pytest.param(SLOW.replace(b"POST", b"GET"), ANSWER, id="another method"),
        pytest.param(SLOW + CALL[:20], ANSWER, id="a call and half a head"),
        pytest.param(SLOW + CALL[:-1], ANSWER, id="a call and half a body"),
        pytest.param(CALL[:20], b"", id="half a head"),
        pytest.param(CALL[:-1], b"", id="half a body"),
    ],
)
async def test_a_half_closed_connection_receives_the_answer_to_its_complete_request(
    sent: bytes, answers: bytes, address: tuple[str, int]
) -> None:
    response = (await send_parts(address, sent, pause=0)).replace(b"connection: close\r\n", b"")
    answered, refused, _ = response.partition(b"HTTP/1.1 400 ")
    assert (answered, bool(refused)) == (answers, b'"unreadable"' in response)


WAITING = (
    b"POST /webhooks/mparticle HTTP/1.1\r\nHost: [::1]\r\nExpect: 100-continue\r\nContent-Length: %d\r\n"
)
BATCH = b'{"mpid":"1","events":[]}'
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_a_refused_request_that_expects_100_continue_closes_the_connection(
    app: Callable[..., Any],
) -> None:
    live = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with served(app(mparticle__authorizations=("right",))) as address:
        response = await send_parts(address, WAITING % len(live) + b"\r\n")
        again = await send_parts(address, WAITING % len(BATCH) + b"Authorization: right\r\n\r\n", BATCH, live)
    assert response.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nconnection: close\r\n" in response
    assert again.startswith(GO_ON + b"HTTP/1.1 200 ")
    assert (again.count(b"HTTP/1.1 200 "), again.count(b"connection: close")) == (2, 0)


async def test_http_1_0_receives_no_100_continue(address: tuple[str, int]) -> None:
    old = CALL.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host", b"Expect: 100-continue\r\nHost")
    assert await send_parts(address, old[:-2], old[-2:]) == CLOSED
