"""Request bodies: bounded in bytes, also after inflating, and in time."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.types import Receive

from adapter.errors import TooLarge, Unavailable, Unreadable

Headers = Mapping[bytes, bytes]
#: From so many bytes on a body waits for its turn.
LARGE = 65_536
_GZIP = (b"gzip", b"x-gzip")


class Disconnected(Exception):
    """The sender went away before the body had arrived; there is nobody to answer."""


class Room:
    """What bodies may hold in memory, all of them together, while they arrive and until they are settled.

    Those that arrive, wait and are worked on hold `limit` bytes at most. A signature can be checked only once
    the body is there, so anybody could fill the memory with halves of bodies. One that comes in a single part
    holds nothing until it has arrived, and one below LARGE nothing at all.

    Large ones are worked on in their order, `at_work` bytes of them at a time: decoded they cost about ten
    times that, and each slice of one keeps the small ones waiting. One waits for its turn `patience` seconds.
    """

    def __init__(self, limit: int = 64_000_000, at_work: int = 10_000_000, patience: float = 3.0) -> None:
        self._left = limit
        self._at_work = at_work
        self._patience = patience
        self._working = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take(self, size: int) -> None:
        """Hold so many bytes more; raises Unavailable when there is no room for them."""
        if size > self._left:
            raise Unavailable("too much is arriving, or being read, at once")
        self._left -= size

    def give(self, size: int) -> None:
        """Let go of so many bytes."""
        self._left += size

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes, and wait until they may be worked on; raises Unavailable as `take` does."""
        self.take(size)
        try:
            await self._begin(size)
            try:
                yield
            finally:
                self._working -= size
                self._call()
        finally:
            self.give(size)

    async def _begin(self, size: int) -> None:
        if not self._waiting and self._fits(size):
            self._working += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as error:
            self._leave(size, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable("too many large bodies are waiting", retry_after=2) from None
            raise

    def _leave(self, size: int, turn: asyncio.Future[None]) -> None:
        """Give up the place in the line, or the turn that has just come."""
        if turn.done() and not turn.cancelled():
            self._working -= size
        elif (size, turn) in self._waiting:
            self._waiting.remove((size, turn))
        self._call()

    def _call(self) -> None:
        """Begin those whose turn it is."""
        while self._waiting and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._working += size
                turn.set_result(None)

    def _fits(self, size: int) -> bool:
        return self._working == 0 or self._working + size <= self._at_work


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
    parts, size, part, more = [], 0, first, True
    try:
        while True:
            if size + len(part) > limit:
                raise _too_large(limit)
            room.take(len(part))
            size += len(part)
            parts.append(part)
            if not more:
                return b"".join(parts)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part, more = message.get("body", b""), message.get("more_body", False)
    finally:
        room.give(size)


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
