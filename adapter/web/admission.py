"""Limits on the memory that bodies use, and on how many bytes of large bodies are processed at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapter.errors import Unavailable
from adapter.settings.values import Settings

#: A body of this many bytes or more waits in a queue before it is processed.
LARGE = 65_536
#: Bodies of up to this many bytes have a queue of their own: Segment's batches have up to 500 KB.
_USUAL_SIZE = 1_000_000


class MemoryBudget:
    """The memory that all bodies together may use, from their arrival until their response.

    Bodies that arrive, wait or are processed use at most `limit` bytes. A signature can be verified only once
    the body is complete, so without the limit anyone could fill the memory with incomplete bodies. A body
    that arrives in one part uses the budget only from then on, and one below LARGE does not use it.

    Large bodies are processed in order, at most `max_in_progress` bytes at a time: decoded, a body needs
    about ten times its size, and each slice of one delays the others. A body waits at most `timeout`
    seconds. Bodies of usual size have their own queue, so they do not wait for the largest.
    """

    def __init__(
        self, limit: int = 64_000_000, max_in_progress: int = 10_000_000, timeout: float = 3.0
    ) -> None:
        self._left = limit
        self._usual = _Queue(2 * _USUAL_SIZE, timeout)
        self._large = _Queue(max_in_progress, timeout)

    @classmethod
    def of(cls, settings: Settings) -> MemoryBudget:
        """Return the budget that the settings give, which has space for the longest allowed body."""
        longest = settings.server.max_body_bytes
        limit = max(settings.ingest.max_waiting_bytes, longest)
        return cls(limit, 2 * longest, settings.ingest.max_wait_seconds)

    def reserve(self, size: int) -> None:
        """Reserve bytes; raises Unavailable where fewer are left."""
        if size > self._left:
            raise Unavailable("the bodies of other requests use all memory for bodies")
        self._left -= size

    def release(self, size: int) -> None:
        """Release reserved bytes."""
        self._left += size

    @asynccontextmanager
    async def admit(self, size: int) -> AsyncIterator[None]:
        """Reserve bytes, and wait until they may be processed; raises Unavailable as `reserve` does."""
        queue = self._large if size > _USUAL_SIZE else self._usual
        self.reserve(size)
        try:
            await queue.start(size)
            try:
                yield
            finally:
                queue.finish(size)
        finally:
            self.release(size)


class _Queue:
    """Bodies in progress, up to a number of bytes but at least one body, and those that wait."""

    def __init__(self, max_in_progress: int, timeout: float) -> None:
        self._max_in_progress = max_in_progress
        self._timeout = timeout
        self._in_progress = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def start(self, size: int) -> None:
        """Wait until a body of this size may be processed."""
        if not self._waiting and self._fits(size):
            self._in_progress += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(self._timeout):
                await turn
        except BaseException as error:
            self._abandon(size, turn)
            if isinstance(error, TimeoutError):
                raise Unavailable("too many large bodies are waiting", retry_after=2) from None
            raise

    def finish(self, size: int) -> None:
        """End the processing of a body, and start those that fit now."""
        self._in_progress -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            next_size, turn = self._waiting.popleft()
            if not turn.done():
                self._in_progress += next_size
                turn.set_result(None)

    def _abandon(self, size: int, turn: asyncio.Future[None]) -> None:
        """Leave the queue; a turn that was granted meanwhile is finished."""
        if turn.done() and not turn.cancelled():
            self.finish(size)
            return
        if (size, turn) in self._waiting:
            self._waiting.remove((size, turn))
        self.finish(0)

    def _fits(self, size: int) -> bool:
        return self._in_progress == 0 or self._in_progress + size <= self._max_in_progress
