"""Group commit: one committer per process puts all queued submissions into one transaction.

There is no delay to collect a batch: the next batch collects while one is committed. Senders that wait for
their responses would all end up in one batch, and the process would idle during its commit. So a batch takes
at most half of the queue and of the works just answered, and two halves alternate.

With a database server two transactions run concurrently: the next one begins as soon as the previous one has
its locks, so that this process decides one while the server writes the other.

Expensive submissions are cut into shares, which are committed next to cheap submissions (queue.py).

Senders time out and retry. So when the oldest submission of a batch exceeds `max_wait`, it fails with
Unavailable. When a transaction exceeds `max_wait`, all queued and new submissions fail with Unavailable until
it finishes. It is never cancelled: it may commit, and then the retry is a duplicate with the same discounts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from adapter.errors import AdapterError, Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.batch import Batch
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.history_completion import Unprepared
from adapter.services.ingest.queue import SHARE, Queue, Submission, is_expensive
from adapter.services.ingest.result import Result
from adapter.services.ingest.settling import Settle, Settling, Split, all_prepared
from adapter.services.ingest.work_item import Work, cost, shares, split_at_erasures

_log = logging.getLogger(__name__)

#: The share of a limit at which readiness ends, so that a load balancer avoids this process in time.
HIGH_WATERMARK = 0.8
#: Seconds after which the failure of a commit is slow.
_SLOW = 0.5
_STUCK = "the commit timed out; check the store and the connection to it"

#: Seconds by which a timeout may be early, so that submissions that arrived together fail together.
_TOLERANCE = 0.01
#: Transactions that run at a time, where the store supports concurrent ones.
MAX_CONCURRENT_COMMITS = 2

#: Completes the histories of customers.
Prepare = Callable[[Collection[str]], Awaitable[None]]


async def _prepare_nothing(_names: Collection[str]) -> None:
    """Complete nothing."""


class GroupCommitter:
    """Group commit around one `settle`, which must be one durable transaction per call."""

    def __init__(
        self,
        settle: Settle,
        limits: Limits,
        metrics: Metrics,
        prepare: Prepare = _prepare_nothing,
        *,
        split: Split = split_at_erasures,
    ) -> None:
        self._metrics = metrics
        self._prepare = prepare
        self._settling = Settling(settle, split)
        self._limits = limits
        self._queue = Queue()
        self._messages = 0
        self._bytes = 0
        self._costs = 0
        self._answered = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._stuck = 0
        self._failing = False
        self._under_way: list[Batch] = []
        self._next_check: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._loops: set[asyncio.Task[None]] = set()
        metrics.register_flush(lambda: metrics.waiting.set(self._messages))

    @property
    def stuck(self) -> bool:
        """Whether a transaction has exceeded `max_wait` and still runs; submissions are rejected."""
        return self._stuck > 0

    @property
    def full(self) -> bool:
        """Whether the next submission would be rejected."""
        return (
            self._closing
            or self._stuck > 0
            or self._messages >= self._limits.max_messages
            or self._bytes >= self._limits.max_bytes
        )

    @property
    def nearly_full(self) -> bool:
        """Whether the queue is above the high watermark; submissions are still accepted."""
        return (
            self.full
            or self._messages >= HIGH_WATERMARK * self._limits.max_messages
            or self._bytes >= HIGH_WATERMARK * self._limits.max_bytes
        )

    async def submit(self, works: Sequence[Work], size: int = 0) -> list[Result]:
        """Commit works in order, and return their results once durable; `size` is in bytes.

        Expensive ones are committed share by share. Raises Unavailable when the queue is full, a commit fails
        or times out; the shares committed before are duplicates in a retry.
        """
        if self.full:
            raise self._refusal()
        costs = cost(works)
        if is_expensive(costs):
            return await self._in_shares(works, size)
        return await self._queued(works, costs, size, expensive=False)

    async def _in_shares(self, works: Sequence[Work], size: int) -> list[Result]:
        """Commit works share by share; shares that are not queued yet count as queued."""
        results: list[Result] = []
        messages, held = len(works), size
        self._hold(messages, held)
        try:
            for share in shares(works, SHARE):
                if self._closing or self._stuck:
                    raise self._refusal()
                part = held * len(share) // messages
                self._hold(-len(share), -part)
                messages, held = messages - len(share), held - part
                results += await self._queued(share, cost(share), part, expensive=True)
        finally:
            self._hold(-messages, -held)
        return results

    async def _queued(self, works: Sequence[Work], costs: int, size: int, *, expensive: bool) -> list[Result]:
        loop = asyncio.get_running_loop()
        waiting = Submission(works, costs, size, loop.time(), loop.create_future())
        self._queue.add(waiting, expensive=expensive)
        self._adjust_queue([waiting], +1)
        self._arrived.set()
        if self._next_check is None:
            self._next_check = loop.call_at(waiting.arrived + self._limits.max_wait, self._check_timeouts)
        try:
            return await waiting.answer
        except Unprepared as unprepared:
            await self._complete(waiting, unprepared.names)
        prepared = all_prepared(works)
        return await self._queued(prepared, costs, size, expensive=expensive)

    async def _complete(self, waiting: Submission, names: Collection[str]) -> None:
        """Complete histories that works need; these count as queued. Raises Unavailable when late."""
        self._adjust_queue([waiting], +1)
        try:
            async with asyncio.timeout(self._limits.max_wait):
                await self._prepare(names)
        except TimeoutError:
            raise Unavailable("histories of customers are being read", retry_after=2) from None
        finally:
            self._adjust_queue([waiting], -1)
        if self._closing or self._stuck:
            raise self._refusal()

    async def run(self) -> None:
        """Commit submissions until `close`, and then those still queued.

        When a commit fails slowly, or after `close`, all queued submissions fail at once: none of them was
        acknowledged, and a try for each batch with a store that hangs would block senders, and the process,
        for minutes.
        """
        self._start_loop()
        while self._loops:
            await asyncio.gather(*self._loops)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit submissions while the block runs, and at its end those still queued."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            self.close()
            await task

    def close(self) -> None:
        """Reject new submissions; `run` returns when the queue is empty."""
        self._closing = True
        self._arrived.set()

    def _refusal(self) -> Unavailable:
        if self._closing:
            return Unavailable("the server is shutting down")
        if self._stuck:
            return _too_late()
        return Unavailable("too many messages are queued")

    def _start_loop(self) -> None:
        loop = asyncio.create_task(self._commit_loop())
        self._loops.add(loop)
        loop.add_done_callback(self._loops.discard)

    def _start_next(self, batch: Batch) -> None:
        """Start the next batch while this one is being committed."""
        if not batch.next_started:
            batch.next_started = True
            self._start_loop()

    async def _commit_loop(self) -> None:
        """Commit batch after batch, until another loop takes over during a commit."""
        while self._queue or not self._closing:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            elif len(self._under_way) == MAX_CONCURRENT_COMMITS:
                self._ended.clear()
                await self._ended.wait()
            else:
                batch = self._take()
                await self._commit(batch)
                if batch.next_started:
                    return

    def _take(self) -> Batch:
        half = (self._costs + self._answered + 1) // 2
        taken = self._queue.take(min(self._limits.max_batch, half))
        return Batch(taken, asyncio.get_running_loop().time())

    async def _commit(self, batch: Batch) -> None:
        failure: AdapterError | None = None
        results: list[Result] | None = None
        self._under_way.append(batch)
        self._metrics.commit_messages.observe(len(batch.works))
        try:
            with self._metrics.commit_seconds.time():
                results = await self._commit_prepared(batch)
        except AdapterError as error:
            failure = error
        except Exception:  # noqa: BLE001 - logged, and the submissions fail
            # The submissions of this batch must fail, and the loop must go on.
            _log.exception("a batch could not be committed")
            failure = Unavailable("the messages could not be committed")
        self._recover(batch, failure)
        if self._failing is (failure is None):
            self._log_state_change(failure)
        self._answer(batch.waiting, results, failure)
        self._adjust_queue(batch.waiting, -1)
        self._answered = sum(waiting.cost for waiting in batch.waiting)
        self._under_way.remove(batch)
        self._ended.set()
        slowly = asyncio.get_running_loop().time() - batch.began > _SLOW
        if failure is not None and (self._closing or slowly):
            self._give_up(self._queue.drain(), failure)

    def _give_up(self, waiting: list[Submission], failure: AdapterError) -> None:
        self._answer(waiting, None, failure)
        self._adjust_queue(waiting, -1)

    def _check_timeouts(self) -> None:
        """Fail the submissions that have timed out, and schedule the next check."""
        loop, limit = asyncio.get_running_loop(), self._limits.max_wait
        since = loop.time() + _TOLERANCE - limit
        self._give_up(self._queue.drain(since), _too_late())
        for batch in self._under_way:
            self._answer([each for each in batch.waiting if each.arrived <= since], None, _too_late())
            if batch.began <= since and not batch.late:
                self._on_timeout(batch)
        begun = [each.arrived for each in self._queue]
        for batch in self._under_way:
            begun += [each.arrived for each in batch.waiting if not each.answer.done()]
            begun += [] if batch.late else [batch.began]
        self._next_check = loop.call_at(min(begun) + limit, self._check_timeouts) if begun else None

    def _on_timeout(self, batch: Batch) -> None:
        """Reject all submissions; those of the batch count as queued until its transaction ends."""
        batch.late = True
        self._stuck += 1
        _log.warning("a transaction exceeded ingest.max_wait_seconds; messages are rejected until it ends")
        self._give_up(self._queue.drain(), _too_late())

    def _recover(self, batch: Batch, failure: AdapterError | None) -> None:
        if batch.late:
            self._stuck -= 1
            outcome = f"failed: {failure.message}" if failure else "was committed"
            _log.warning("the transaction that exceeded ingest.max_wait_seconds %s", outcome)

    def _log_state_change(self, failure: AdapterError | None) -> None:
        """Log when commits begin to fail, and when they succeed again, and not each failure."""
        self._failing = failure is not None
        if failure is not None:
            _log.warning("commits are failing; senders receive 503: %s", failure.message)
        else:
            _log.warning("commits succeed again")

    async def _commit_prepared(self, batch: Batch) -> list[Result]:
        """Commit a batch, without the submissions that are not prepared."""
        on_locks_acquired = partial(self._start_next, batch)
        while batch.waiting:
            try:
                return await self._settling.commit(batch.works, on_locks_acquired)
            except Unprepared as unprepared:
                late = {id(work) for work in unprepared.works}
                gone = [each for each in batch.waiting if any(id(work) in late for work in each.works)]
                batch.leave(gone)
                self._answer(gone, None, unprepared)
                self._adjust_queue(gone, -1)
        return []

    def _answer(
        self, taken: list[Submission], results: list[Result] | None, error: AdapterError | Unprepared | None
    ) -> None:
        start = 0
        for waiting in taken:
            end = start + len(waiting.works)
            if waiting.answer.done():
                pass  # the caller has gone, or the submission has timed out
            elif results is None:
                waiting.answer.set_exception(error or Unavailable("the store returned no result"))
            else:
                waiting.answer.set_result(results[start:end])
            start = end

    def _adjust_queue(self, these: Sequence[Submission], sign: int) -> None:
        for waiting in these:
            self._hold(sign * len(waiting.works), sign * waiting.size)
            self._costs += sign * waiting.cost

    def _hold(self, messages: int, size: int) -> None:
        self._messages += messages
        self._bytes += size


def _too_late() -> Unavailable:
    return Unavailable(_STUCK, retry_after=2)
