"""Heads are bounded in length and time, and trailers do not count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapter.server import header_limits, http_protocol
from tests.web.serving import ANSWER, CALL, Echo, said, served

STALL_SECONDS = 0.1
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
LONG = b"x" * 80_000


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([CALL.replace(b"Host", b"X-Long: " + LONG + b"\r\nHost")], id="one long header"),
        pytest.param([CALL.replace(b"Host", b"x-a: b\r\n" * 9_000 + b"Host")], id="many headers"),
        pytest.param([CALL.replace(b"POST /", b"POST /" + LONG)], id="a long address"),
        pytest.param([b"POST / HTTP/1.1\r\nX-Long: ", *[b"x" * 4_000] * 17], id="a header without end"),
        pytest.param([b"POST /", *[b"x" * 4_000] * 17], id="an address without end"),
        pytest.param([CALL, b"POST / HTTP/1.1\r\nX-Long: ", LONG], id="in a second request"),
    ],
)
async def test_a_long_head_is_refused(parts: list[bytes], address: tuple[str, int]) -> None:
    answer = await said(address, *parts)
    assert answer.removeprefix(ANSWER).startswith(b"HTTP/1.1 431 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert b'"code":"head_too_large"' in answer


@pytest.mark.parametrize("cut", [1_000_000, 30_000, 20])
async def test_a_head_that_is_just_not_too_long_is_read(cut: int, address: tuple[str, int]) -> None:
    call = CALL.replace(b"Host", b"X-Long: " + b"x" * 65_000 + b"\r\nHost")
    assert await said(address, call[:cut], call[cut:]) == ANSWER


async def test_a_long_body_before_a_head_in_pieces_is_no_part_of_the_head(address: tuple[str, int]) -> None:
    body = b"x" * 150_000
    long = CALL.replace(b"Length: 2", b"Length: 150000").replace(b"{}", body)
    answer = await said(address, long + CALL[:20], CALL[20:40], CALL[40:])
    assert answer == ANSWER.replace(b"length: 2", b"length: 150000").replace(b"{}", body) + ANSWER


async def test_a_long_body_in_chunks_is_no_head(address: tuple[str, int]) -> None:
    body = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    answer = await said(address, CHUNKED + b"2\r\n", b"{}\r\n" + body[:100], body[100:] + body, b"0\r\n\r\n")
    assert b"content-length: 131074\r\n" in answer


async def test_trailers_without_end_are_refused(address: tuple[str, int]) -> None:
    answer = await said(address, CHUNKED, b"2\r\n{}\r\n0\r\nX-Long: ", *[b"x" * 8_000] * 9)
    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("name", sorted(header_limits.SINGLE))
async def test_a_header_that_identifies_the_sender_may_occur_once(
    name: bytes, address: tuple[str, int]
) -> None:
    twice = CALL.replace(b"Host", b"%b: a\r\nX-Other: b\r\n%b: a\r\nHost" % (name, name.title()))
    answer = await said(address, twice)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"unreadable"' in answer
    assert b" %b " % name in answer
    assert await said(address, CALL.replace(b"Host", b"Accept: a\r\nAccept: b\r\nHost")) == ANSWER


@pytest.mark.parametrize(
    ("codings", "taken"),
    [
        ([b"chunked"], True),
        ([b"Chunked"], True),
        ([b"gzip, chunked"], False),
        ([b"gzip", b"chunked"], False),
        ([b"chunked", b"chunked"], False),
        ([b"identity, chunked"], False),
    ],
)
async def test_a_body_is_coded_for_its_transfer_in_chunks_alone(
    codings: list[bytes], taken: bool, address: tuple[str, int]
) -> None:
    lines = b"".join(b"Transfer-Encoding: %b\r\n" % coding for coding in codings)
    sent = CHUNKED.replace(b"Transfer-Encoding: chunked\r\n", lines) + b"2\r\n{}\r\n0\r\n\r\n"
    answer = await said(address, sent)
    assert answer == ANSWER if taken else answer.startswith(b"HTTP/1.1 400 ")


BATCH = b'{"mpid":"1","events":[]}'
TRAILED = b"POST /webhooks/mparticle HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("head", "trailer", "status"),
    [
        (b"", b"Authorization: right\r\n", b"401"),
        (b"Authorization: wrong\r\n", b"Authorization: right\r\n", b"403"),
        (b"Authorization: right\r\n", b"Authorization: wrong\r\n", b"200"),
    ],
)
@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_credential_in_a_trailer_does_not_count(
    head: bytes, trailer: bytes, status: bytes, pieces: int, app: Callable[..., Any]
) -> None:
    sent = TRAILED + head + b"\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(BATCH), BATCH, trailer)
    cut = len(sent) if pieces == 1 else sent.index(BATCH)
    async with served(app(mparticle__authorizations=("right",))) as address:
        answer = await said(address, sent[:cut], sent[cut:])
    assert answer.startswith(b"HTTP/1.1 %b " % status)


async def test_a_key_in_a_trailer_does_not_make_two_calls_one(app: Callable[..., Any], services: Any) -> None:
    head = b"POST /v1/discounts/HV15-8K2F/apply HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served(app()) as address:
        answer = await said(address, head, b"2\r\n{}\r\n0\r\nIdempotency-Key: k\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [key for _, key in services.moves] == [None]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave senders that owe us something at once."""
    monkeypatch.setattr(http_protocol, "STALL_SECONDS", STALL_SECONDS)


async def until_closed(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send parts, a moment apart and never an end; return what came until the server closed."""
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        pytest.param([CALL[:20]], b"", id="half a head"),
        pytest.param([CALL, CALL[:20]], ANSWER, id="half of a second head"),
        pytest.param([CALL, b"\r\n"], ANSWER, id="an empty line behind a request"),
        pytest.param([b"\r\n"], b"", id="an empty line"),
    ],
)
async def test_a_connection_with_an_unfinished_head_is_closed(
    parts: list[bytes], answer: bytes, address: tuple[str, int]
) -> None:
    assert await until_closed(address, *parts) == answer


@pytest.mark.usefixtures("hasty")
async def test_a_connection_whose_body_never_ends_is_closed_after_the_answer(app: Callable[..., Any]) -> None:
    head = b"POST /webhooks/mparticle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    async with served(app(mparticle__authorizations=("right",))) as address:
        answer = await until_closed(address, head, *[b"x"] * 5)
    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.usefixtures("hasty")
async def test_an_idle_or_active_connection_is_kept(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    await asyncio.sleep(3 * STALL_SECONDS)
    started, answered = time.monotonic(), 0
    while time.monotonic() < started + 4 * STALL_SECONDS:
        writer.write(CALL[:20])
        await asyncio.sleep(0.01)
        writer.write(CALL[20:])
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        answered += 1
    await asyncio.sleep(3 * STALL_SECONDS)
    writer.write(CALL)
    assert await reader.readexactly(len(ANSWER)) == ANSWER
    assert answered > 2
    writer.close()


@pytest.mark.usefixtures("hasty")
async def test_a_connection_that_waits_for_a_slow_answer_is_kept() -> None:
    async with served(Echo(seconds=4 * STALL_SECONDS)) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(CALL)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("reads", [True, False])
async def test_a_connection_that_does_not_read_the_answer_is_closed(
    address: tuple[str, int], reads: bool
) -> None:
    body = b"x" * 20_000_000
    call = CALL.replace(b"Length: 2", b"Length: 20000000").replace(b"{}", body)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(call)
    come = 0
    for _ in range(36):
        await asyncio.sleep(STALL_SECONDS / 3)
        come += len(await reader.read(100_000)) if reads else 0
    try:
        while part := await reader.read(1_000_000):
            come += len(part)
            if come > len(body):
                break
    except ConnectionResetError:
        pass
    writer.close()
    assert (come > len(body)) is reads


async def test_more_connections_than_there_are_files_for_are_closed(
    monkeypatch: pytest.MonkeyPatch, address: tuple[str, int]
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 2)
    held = [await asyncio.open_connection(*address) for _ in range(2)]
    await asyncio.sleep(0.02)
    assert await until_closed(address) == b""
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.05)
    assert await said(address, CALL) == ANSWER
