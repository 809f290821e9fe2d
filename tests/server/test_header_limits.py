"""Headers are limited in size and time, and trailers have no effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from adapter.server import header_limits, http_protocol
from adapter.server.write_buffer import WriteBuffer
from tests.server.serving import ANSWER, CALL, Echo, echo, send_parts, served

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
async def test_headers_over_the_maximum_size_are_rejected(
    parts: list[bytes], address: tuple[str, int]
) -> None:
    response = await send_parts(address, *parts)
    assert response.removeprefix(ANSWER).startswith(b"HTTP/1.1 431 ")
    assert b"\r\nconnection: close\r\n" in response
    assert b'"code":"head_too_large"' in response


@pytest.mark.parametrize("cut", [1_000_000, 30_000, 20])
async def test_headers_of_the_maximum_size_are_accepted(cut: int, address: tuple[str, int]) -> None:
    call = CALL.replace(b"Host", b"X-Long: " + b"x" * 65_000 + b"\r\nHost")
    assert await send_parts(address, call[:cut], call[cut:]) == ANSWER


async def test_a_long_body_does_not_count_towards_the_next_headers(address: tuple[str, int]) -> None:
    body = b"x" * 150_000
    long = CALL.replace(b"Length: 2", b"Length: 150000").replace(b"{}", body)
    response = await send_parts(address, long + CALL[:20], CALL[20:40], CALL[40:])
    assert response == ANSWER.replace(b"length: 2", b"length: 150000").replace(b"{}", body) + ANSWER


async def test_a_long_chunked_body_does_not_count_as_headers(address: tuple[str, int]) -> None:
    body = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    response = await send_parts(
        address, CHUNKED + b"2\r\n", b"{}\r\n" + body[:100], body[100:] + body, b"0\r\n\r\n"
    )
    assert b"content-length: 131074\r\n" in response


async def test_endless_trailers_are_rejected(address: tuple[str, int]) -> None:
    response = await send_parts(address, CHUNKED, b"2\r\n{}\r\n0\r\nX-Long: ", *[b"x" * 8_000] * 9)
    assert response.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("name", sorted(header_limits.SINGLE))
async def test_a_header_that_identifies_the_sender_may_occur_once(
    name: bytes, address: tuple[str, int]
) -> None:
    twice = CALL.replace(b"Host", b"%b: a\r\nX-Other: b\r\n%b: a\r\nHost" % (name, name.title()))
    response = await send_parts(address, twice)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b'"unreadable"' in response
    assert b" %b " % name in response
    assert await send_parts(address, CALL.replace(b"Host", b"Accept: a\r\nAccept: b\r\nHost")) == ANSWER


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
async def test_chunked_is_the_only_transfer_encoding(
    codings: list[bytes], taken: bool, address: tuple[str, int]
) -> None:
    lines = b"".join(b"Transfer-Encoding: %b\r\n" % coding for coding in codings)
    sent = CHUNKED.replace(b"Transfer-Encoding: chunked\r\n", lines) + b"2\r\n{}\r\n0\r\n\r\n"
    response = await send_parts(address, sent)
    assert response == ANSWER if taken else response.startswith(b"HTTP/1.1 400 ")


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
        response = await send_parts(address, sent[:cut], sent[cut:])
    assert response.startswith(b"HTTP/1.1 %b " % status)


async def test_an_idempotency_key_in_a_trailer_is_ignored(app: Callable[..., Any], services: Any) -> None:
    head = b"POST /v1/discounts/HV15-8K2F/apply HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with served(app()) as address:
        response = await send_parts(address, head, b"2\r\n{}\r\n0\r\nIdempotency-Key: k\r\n\r\n")
    assert response.startswith(b"HTTP/1.1 200 ")
    assert [key for _, key in services.moves] == [None]


@pytest.fixture
def short_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close stalled connections almost at once."""
    monkeypatch.setattr(http_protocol, "STALL_SECONDS", STALL_SECONDS)


async def until_closed(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send parts, a moment apart, and never close; return what the server sends until it closes."""
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(60):
        response = await reader.read()
    writer.close()
    return response


@pytest.mark.usefixtures("short_stall")
@pytest.mark.parametrize(
    ("parts", "response"),
    [
        pytest.param([CALL[:20]], b"", id="half a head"),
        pytest.param([CALL, CALL[:20]], ANSWER, id="half of a second head"),
        pytest.param([CALL, b"\r\n"], ANSWER, id="an empty line behind a request"),
        pytest.param([b"\r\n"], b"", id="an empty line"),
    ],
)
async def test_a_connection_with_an_unfinished_head_is_closed(
    parts: list[bytes], response: bytes, address: tuple[str, int]
) -> None:
    assert await until_closed(address, *parts) == response


@pytest.mark.usefixtures("short_stall")
async def test_a_connection_whose_body_never_ends_is_closed_after_the_answer(app: Callable[..., Any]) -> None:
    head = b"POST /webhooks/mparticle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    async with served(app(mparticle__authorizations=("right",))) as address:
        response = await until_closed(address, head, *[b"x"] * 5)
    assert response.startswith(b"HTTP/1.1 401 ")


@pytest.mark.usefixtures("short_stall")
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


@pytest.mark.usefixtures("short_stall")
async def test_a_connection_that_waits_for_a_slow_answer_is_kept() -> None:
    async with served(Echo(seconds=4 * STALL_SECONDS)) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(CALL)
        assert await reader.readexactly(len(ANSWER)) == ANSWER
        writer.close()


@pytest.mark.usefixtures("short_stall")
async def test_a_connection_that_does_not_read_the_response_is_closed(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    aborted, abort = asyncio.Event(), WriteBuffer.abort

    def noted(buffer: WriteBuffer) -> None:
        abort(buffer)
        aborted.set()

    monkeypatch.setattr(WriteBuffer, "abort", noted)
    body = b"x" * 20_000_000
    call = CALL.replace(b"Length: 2", b"Length: 20000000").replace(b"{}", body)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(call)
    async with asyncio.timeout(30):
        await aborted.wait()
    received = 0
    with suppress(ConnectionResetError):
        while part := await reader.read(1_000_000):
            received += len(part)
            if received > len(body):
                break
    writer.close()
    assert received < len(body)


class Unread(asyncio.Transport):
    """A transport whose client reads only when the test changes `unsent`."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@pytest.mark.parametrize(
    ("unsent", "aborted"),
    [([9] * 7, True), ([9] * 6, False), ([9, 9, 9, 9, 9, 9, 8] * 3, False), ([0] * 20, False)],
    ids=["seven checks", "six checks", "slow reader", "all is read"],
)
async def test_a_client_that_reads_nothing_for_seven_checks_is_disconnected(
    unsent: list[int], aborted: bool
) -> None:
    config = uvicorn.Config(echo, http=http_protocol.HttpProtocol, lifespan="off", log_config=None)
    config.load()
    protocol, transport = http_protocol.HttpProtocol(config, ServerState(), {}), Unread()
    protocol.connection_made(transport)
    for size in unsent:
        transport.unsent = size
        protocol._check_stalled()
    protocol.connection_lost(None)
    assert transport.aborted is aborted


async def test_connections_over_the_maximum_are_closed(
    monkeypatch: pytest.MonkeyPatch, address: tuple[str, int]
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 2)
    held = [await asyncio.open_connection(*address) for _ in range(2)]
    await asyncio.sleep(0.02)
    assert await until_closed(address) == b""
    for _, writer in held:
        writer.close()
    await asyncio.sleep(0.05)
    assert await send_parts(address, CALL) == ANSWER
