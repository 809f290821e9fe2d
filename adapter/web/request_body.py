"""Request bodies: bounded in bytes, also after inflating, and in time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping

from starlette.types import Receive

from adapter.errors import TooLarge, Unavailable, Unreadable
from adapter.web.admission import Room

Headers = Mapping[bytes, bytes]
_GZIP = (b"gzip", b"x-gzip")


class Disconnected(Exception):
    """The sender went away before the body had arrived; there is nobody to answer."""


async def arrived(headers: Headers, receive: Receive, limit: int, seconds: float, room: Room) -> bytes:
    """Return the body as it was sent, of at most `limit` bytes, arrived within `seconds`.

    Raises TooLarge, Unavailable when it does not arrive in time or finds no `room`, and Disconnected.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    return await _in_time(receive, limit, seconds, room)


async def read(headers: Headers, receive: Receive, limit: int, seconds: float, room: Room) -> bytes:
    """Return the whole body, inflated; raises as `arrived` and `whole` do."""
    return whole(headers, await arrived(headers, receive, limit, seconds, room), limit)


def weight(headers: Headers, body: bytes) -> int:
    """Return the bytes that a body will have once it is inflated, by its own word; `whole` holds it to it."""
    if headers.get(b"content-encoding", b"").strip().lower() not in _GZIP:
        return len(body)
    return max(len(body), int.from_bytes(body[-4:], "little"))


def whole(headers: Headers, body: bytes, limit: int) -> bytes:
    """Return a body that has arrived, inflated.

    Raises TooLarge, and Unreadable for a body that is not the one announced, or in an encoding that we do not
    take or that is broken.
    """
    if len(body) > limit:
        raise _too_large(limit)
    declared = headers.get(b"content-length")
    if declared is None:
        if not body and b"transfer-encoding" in headers:
            raise Unreadable(
                "the head announces a body, and none came; leave Transfer-Encoding away, or send it"
            )
    elif declared != b"%d" % len(body):
        _compare(declared, body)
    encoding = headers.get(b"content-encoding")
    return body if encoding is None else _decoded(body, encoding.strip().lower(), limit)


def _compare(declared: bytes, body: bytes) -> None:
    """Refuse a body that lost a part on its way: what is left could mean something else."""
    if declared.isdigit() and int(declared) != len(body):
        raise Unreadable(f"{len(body)} bytes of a body came, and Content-Length announces {int(declared)}")


async def _in_time(receive: Receive, limit: int, seconds: float, room: Room) -> bytes:
    """Collect the body within `seconds`: `asyncio.timeout` at a quarter of its cost, on every request."""
    task, late = asyncio.current_task(), False
    if task is None:
        raise RuntimeError("a body is read inside a task")

    def expire() -> None:
        nonlocal late
        late = True
        task.cancel()

    clock = asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await _collect(receive, limit, room)
    except asyncio.CancelledError:
        # Cancelled by somebody else as well, the task must end.
        if not late or task.uncancel() > 0:
            raise
        raise Unavailable("the body did not arrive in time") from None
    finally:
        clock.cancel()


async def _collect(receive: Receive, limit: int, room: Room) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    return await _joined(body, receive, limit, room)


async def _joined(first: bytes, receive: Receive, limit: int, room: Room) -> bytes:
    """Collect the parts in one piece: a million of them would take ten times the memory of the body."""
    body, part, more = bytearray(), first, True
    try:
        while True:
            if len(body) + len(part) > limit:
                raise _too_large(limit)
            room.take(len(part))
            body += part
            if not more:
                return bytes(body)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part, more = message.get("body", b""), message.get("more_body", False)
    finally:
        room.give(len(body))


def _decoded(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding in (b"", b"identity"):
        return body
    if encoding not in _GZIP:
        shown = encoding.decode("latin-1")[:40]
        raise Unreadable(f"content-encoding `{shown}` is not known here; send gzip, or none")
    return _inflated(body, limit)


def _inflated(body: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    announced = int.from_bytes(body[-4:], "little")
    try:
        inflated = inflater.decompress(body, min(limit, announced) + 1)
    except zlib.error as error:
        raise Unreadable("the body is not gzip, though content-encoding says so") from error
    if len(inflated) > limit:
        raise _too_large(limit)
    if not inflater.eof:
        raise Unreadable("the gzip body is cut short")
    if inflater.unused_data:
        raise Unreadable("bytes follow the end of the gzip body")
    return inflated


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"the body is over {limit} bytes; send fewer messages a request, or raise `server.max_body_bytes`"
    )
