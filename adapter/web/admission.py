"""What bodies may hold in memory, and whose turn it is to be worked on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.errors import Unavailable

#: From so many bytes on a body waits for its turn.
LARGE = 65_536
#: Up to so many it has turns of its own: Segment's batches have 500 KB.
_USUAL = 1_000_000


class Room:
    """What bodies may hold in memory, all of them together, while they arrive and until they are settled.

    Those that arrive, wait and are worked on hold `limit` bytes at most. A signature can be checked only once
    the body is there, so anybody could fill the memory with halves of bodies. One that comes in a single part
    holds nothing until it has arrived, and one below LARGE nothing at all.

    Large ones are worked on in their order, `at_work` bytes of them at a time: decoded they cost about ten
    times that, and each slice of one keeps the others waiting. One waits for its turn `patience` seconds.
    Those of a usual size have a line of their own, and so do not wait for the largest.
    """

    def __init__(self, limit: int = 64_000_000, at_work: int = 10_000_000, patience: float = 3.0) -> None:
        self._left = limit
        self._usual = _Line(2 * _USUAL, patience)
        self._large = _Line(at_work, patience)

    def take(self, size: int) -> None:
        """Hold so many bytes more; raises Unavailable when there is no room for them."""
        if size > self._left:
            raise Unavailable("too many bodies are arriving, or being read, at once")
        self._left -= size

    def give(self, size: int) -> None:
        """Let go of so many bytes."""
        self._left += size

    @asynccontextmanager
    async def turn(self, size: int) -> AsyncIterator[None]:
        """Hold so many bytes, and wait until they may be worked on; raises Unavailable as `take` does."""
        line = self._large if size > _USUAL else self._usual
        self.take(size)
        try:
            await line.begin(size)
            try:
                yield
            finally:
                line.end(size)
        finally:
            self.give(size)


class _Line:
    """Bodies that are worked on, so many bytes at a time or one, and those that wait for that."""

    def __init__(self, at_work: int, patience: float) -> None:
        self._at_work = at_work
        self._patience = patience
        self._working = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def begin(self, size: int) -> None:
        """Wait for a turn."""
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

    def end(self, size: int) -> None:
        """End a turn, and begin those that may come now."""
        self._working -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            following, turn = self._waiting.popleft()
            if not turn.done():
                self._working += following
                turn.set_result(None)

    def _leave(self, size: int, turn: asyncio.Future[None]) -> None:
        """Give up the place in the line, or the turn that has just come."""
        if turn.done() and not turn.cancelled():
            self.end(size)
            return
        if (size, turn) in self._waiting:
            self._waiting.remove((size, turn))
        self.end(0)

    def _fits(self, size: int) -> bool:
        return self._working == 0 or self._working + size <= self._at_work
