"""The committer: one per process, it drains all that waits into one transaction.

There is no pause to gather: while one commit is on its way to the disk, the next batch gathers. Senders that
wait for their answers would all end up in one batch, and the process would idle while that is committed; so a
batch takes no more than half of what waits and of what was just answered, and two halves take turns.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.errors import AdapterError, Unavailable
from adapter.metrics import Metrics
from adapter.model.quarantine import Quarantined
from adapter.services.results import Result
from adapter.services.work import Work

_log = logging.getLogger(__name__)

#: The share of a limit from which a load balancer should look elsewhere, before messages are turned away.
_CROWDED = 0.8
#: Seconds after which a commit that fails has failed slowly.
_SLOW = 0.5

Settle = Callable[[Sequence[Work]], Awaitable[list[Result]]]


class Limits(Struct, frozen=True):
    """`max_messages` and `max_bytes` may wait; `max_batch` messages go into one transaction."""

    max_messages: int = 20_000
    max_bytes: int = 64 * 1024 * 1024
    max_batch: int = 2_000


class _Waiting(Struct):
    works: Sequence[Work]
    size: int
    answer: asyncio.Future[list[Result]]


class Committer:
    """Group commit around one `settle`, which must be one durable transaction per call."""

    def __init__(self, settle: Settle, limits: Limits, metrics: Metrics) -> None:
        self._metrics = metrics
        self._settle = settle
        self._limits = limits
        self._queue: deque[_Waiting] = deque()
        self._messages = 0
        self._bytes = 0
        self._answered = 0
        self._arrived = asyncio.Event()
        self._closing = False

    @property
    def full(self) -> bool:
        """Whether the next submission would be turned away."""
        return (
            self._closing
            or self._messages >= self._limits.max_messages
            or self._bytes >= self._limits.max_bytes
        )

    @property
    def crowded(self) -> bool:
        """Whether so much waits that no more should be sent here; submissions are still taken."""
        return (
            self.full
            or self._messages >= _CROWDED * self._limits.max_messages
            or self._bytes >= _CROWDED * self._limits.max_bytes
        )

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        """Have works settled, in order, and return when that is durable; `size` is their weight in bytes.

        Raises Unavailable when too much waits already, or when the store cannot commit now.
        """
        if self.full:
            raise Unavailable(
                "the server is shutting down" if self._closing else "too many messages are waiting"
            )
        waiting = _Waiting(works, size, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._weigh(len(works), size)
        self._arrived.set()
        return await waiting.answer

    async def run(self) -> None:
        """Settle what arrives until `close`, and then what is still waiting.

        When the store fails slowly, or after `close`, all that waits is told so at once: nothing of it was
        acknowledged, and to try each batch against a store that is stuck would keep senders, and the process,
        for minutes.
        """
        clock = asyncio.get_running_loop().time
        while self._queue or not self._closing:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            started = clock()
            failure = await self._commit(self._take())
            if failure is not None and (self._closing or clock() - started > _SLOW):
                self._give_up(failure)

    def close(self) -> None:
        """Turn new work away; `run` returns when the queue is empty."""
        self._closing = True
        self._arrived.set()

    def _take(self) -> list[_Waiting]:
        taken = [self._queue.popleft()]
        half = (self._messages + self._answered + 1) // 2
        room = min(self._limits.max_batch, half) - len(taken[0].works)
        while self._queue and len(self._queue[0].works) <= room:
            taken.append(self._queue.popleft())
            room -= len(taken[-1].works)
        self._answered = sum(len(waiting.works) for waiting in taken)
        return taken

    async def _commit(self, taken: list[_Waiting]) -> AdapterError | None:
        works = [work for waiting in taken for work in waiting.works]
        failure: AdapterError | None = None
        results: list[Result] | None = None
        self._metrics.commit_messages.observe(len(works))
        try:
            with self._metrics.commit_seconds.time():
                results = await self._settled(works)
        except AdapterError as error:
            failure = error
        except Exception:  # noqa: BLE001 - told to whoever waits, and logged
            # Whoever waits must hear of it, and whoever comes next must be served.
            _log.exception("a batch could not be settled")
            failure = Unavailable("the messages could not be settled")
        self._answer(taken, results, failure)
        self._weigh(-len(works), -sum(waiting.size for waiting in taken))
        return failure

    def _give_up(self, failure: AdapterError) -> None:
        waiting = list(self._queue)
        self._queue.clear()
        self._answer(waiting, None, failure)
        self._weigh(-self._messages, -self._bytes)

    async def _settled(self, works: Sequence[Work]) -> list[Result]:
        """Settle works; one that nobody foresaw to fail is found by halving, and quarantined alone."""
        try:
            return await self._settle(works)
        except AdapterError:
            raise
        except Exception as error:
            if len(works) > 1:
                half = len(works) // 2
                return await self._settled(works[:half]) + await self._settled(works[half:])
            if not works or works[0].quarantine is not None:
                raise Unavailable("the message cannot be stored") from error
            _log.exception("a message could not be decided", extra={"source": works[0].source})
            return await self._settled([_quarantined(works[0], error)])

    def _answer(
        self, taken: list[_Waiting], results: list[Result] | None, error: AdapterError | None
    ) -> None:
        start = 0
        for waiting in taken:
            end = start + len(waiting.works)
            if waiting.answer.cancelled():
                pass
            elif results is None:
                waiting.answer.set_exception(error or Unavailable("the store gave no answer"))
            else:
                waiting.answer.set_result(results[start:end])
            start = end

    def _weigh(self, messages: int, size: int) -> None:
        self._messages += messages
        self._bytes += size
        self._metrics.waiting.set(self._messages)


def _quarantined(work: Work, error: Exception) -> Work:
    reason = f"internal error while deciding: {type(error).__name__}"
    document = Raw(msgspec.json.encode(work.document))
    kept = Quarantined(work.source, work.key, document, reason, work.received_at, replayed=not work.rewarded)
    return replace(work, operations=(), quarantine=kept)
