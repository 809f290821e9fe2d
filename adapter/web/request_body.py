"""Request bodies, limited in size, also when decompressed, and in the time that they take to arrive."""

from __future__ import annotations

import asyncio
import zlib

from starlette.types import Receive

from adapter.errors import TooLarge, Unavailable, Unreadable
from adapter.sources.headers import Headers
from adapter.web.admission import MemoryBudget

_GZIP = (b"gzip", b"x-gzip")


class Disconnected(Exception):
    """The client disconnected, so no response can be sent."""


async def receive_body(
    headers: Headers, receive: Receive, limit: int, seconds: float, budget: MemoryBudget
) -> bytes:
    """Return the body as sent, of at most `limit` bytes, received within `seconds`.

    Raises TooLarge, Unavailable when it does not arrive in time or the budget is used up, and Disconnected.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    return await _receive_within(receive, limit, seconds, budget)


async def read_body(
    headers: Headers, receive: Receive, limit: int, seconds: float, budget: MemoryBudget
) -> bytes:
    """Return the whole body, decompressed; raises as `receive_body` and `decode_body` do."""
    return decode_body(headers, await receive_body(headers, receive, limit, seconds, budget), limit)


def declared_size(headers: Headers, body: bytes) -> int:
    """Return the decompressed size that a body declares; `decode_body` enforces it."""
    if headers.get(b"content-encoding", b"").strip().lower() not in _GZIP:
        return len(body)
    return max(len(body), int.from_bytes(body[-4:], "little"))


def decode_body(headers: Headers, body: bytes, limit: int) -> bytes:
    """Return a received body, decompressed.

    Raises TooLarge, and Unreadable for a body whose length or encoding is not the declared one, or whose
    encoding is not supported.
    """
    if len(body) > limit:
        raise _too_large(limit)
    declared = headers.get(b"content-length")
    if declared is None:
        if not body and b"transfer-encoding" in headers:
            raise Unreadable(
                "Transfer-Encoding announces a body, and the request has none; remove the header"
            )
    elif declared != b"%d" % len(body):
        _check_length(declared, body)
    encoding = headers.get(b"content-encoding")
    return body if encoding is None else _decompress(body, encoding.strip().lower(), limit)


def _check_length(declared: bytes, body: bytes) -> None:
    """Reject a body that was cut off on its way: the rest could have another meaning."""
    if declared.isdigit() and int(declared) != len(body):
        raise Unreadable(f"the body has {len(body)} bytes, and Content-Length says {int(declared)}")


async def _receive_within(receive: Receive, limit: int, seconds: float, budget: MemoryBudget) -> bytes:
    """Receive the body within `seconds`; this costs a quarter of `asyncio.timeout`, on each request."""
    task, expired = asyncio.current_task(), False
    if task is None:
        raise RuntimeError("a body is read inside a task")

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await _receive(receive, limit, budget)
    except asyncio.CancelledError:
        # If the task was also cancelled from outside, it must end.
        if not expired or task.uncancel() > 0:
            raise
        raise Unavailable("the body did not arrive in time") from None
    finally:
        timer.cancel()


async def _receive(receive: Receive, limit: int, budget: MemoryBudget) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    return await _join(body, receive, limit, budget)


async def _join(first: bytes, receive: Receive, limit: int, budget: MemoryBudget) -> bytes:
    """Append all parts to one buffer: a list of a million parts would need ten times the memory."""
    body, part, more = bytearray(), first, True
    try:
        while True:
            if len(body) + len(part) > limit:
                raise _too_large(limit)
            budget.reserve(len(part))
            body += part
            if not more:
                return bytes(body)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part, more = message.get("body", b""), message.get("more_body", False)
    finally:
        budget.release(len(body))


def _decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding in (b"", b"identity"):
        return body
    if encoding not in _GZIP:
        shown = encoding.decode("latin-1")[:40]
        raise Unreadable(f"content-encoding `{shown}` is not supported; send gzip, or none")
    return _gunzip(body, limit)


def _gunzip(body: bytes, limit: int) -> bytes:
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    declared = int.from_bytes(body[-4:], "little")
    try:
        decompressed = decompressor.decompress(body, min(limit, declared) + 1)
    except zlib.error as error:
        raise Unreadable("content-encoding is gzip, and the body is not") from error
    if len(decompressed) > limit:
        raise _too_large(limit)
    if not decompressor.eof:
        raise Unreadable("the gzip body is incomplete")
    if decompressor.unused_data:
        raise Unreadable("the gzip body has extra bytes after its end")
    return decompressed


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the body is over {limit} bytes; send fewer messages a request, or raise `server.max_body_bytes`"
    )
