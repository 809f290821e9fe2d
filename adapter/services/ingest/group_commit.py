"""The committer: one per process, it drains all that waits into one transaction.

There is no pause to gather: while one commit is on its way to the disk, the next batch gathers. Senders that
wait for their answers would all end up in one batch, and the process would idle while that is committed; so a
batch takes no more than half of what waits and of what was just answered, and two halves take turns.

Where a server writes, and not this process, two transactions are under way: the next one begins as soon as
the one before has its locks, so that the process decides the one while the server writes the other.

What costs much is cut into shares, which take turns beside what costs little (queueing.py).

A sender gives up after a while, and repeats. So what has waited that long is told to come again. Once a
transaction has taken that long, everyone who waits is told so, and so is whoever comes, until it has ended.
It is never cancelled: it may commit, and then what is sent again is a duplicate with the same discounts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import AdapterError, Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.batch import Batch
from adapter.services.ingest.past_completion import Unprepared
from adapter.services.ingest.queue import SHARE, Queue, Waiting, is_costly
from adapter.services.ingest.result import Result
from adapter.services.ingest.unstorable import quarantined, sifted
from adapter.services.ingest.work_item import Work, apart, cost, shares
from adapter.settings import values as settings
from adapter.store.contract import OnLocksAcquired

_log = logging.getLogger(__name__)

#: The share of a limit from which a load balancer should look elsewhere, before messages are turned away.
_CROWDED = 0.8
#: Seconds after which a commit that fails has failed slowly.
_SLOW = 0.5
_STUCK = "the store has not committed in time: see what keeps it, or the way to it"

#: Seconds by which a wait may be cut short, so that what came together is told together.
_TOLERANCE = 0.01
#: So many transactions are under way at a time, where the store can run any beside another.
_ABREAST = 2

Settle = Callable[[Sequence[Work], OnLocksAcquired], Awaitable[list[Result]]]
#: Completes the histories of customers.
Prepare = Callable[[Collection[str]], Awaitable[None]]


async def _prepare_nothing(_names: Collection[str]) -> None:
    """Complete no history."""


class Limits(Struct, frozen=True):
    """`max_messages` and `max_bytes` may wait, `max_wait` seconds long; a transaction takes `max_batch`."""

    max_messages: int = 20_000
    max_bytes: int = 64 * 1024 * 1024
    max_batch: int = 2_000
    max_wait: float = 3.0

    @classmethod
    def of(cls, ingest: settings.Ingest) -> Limits:
        """Return the limits that the settings give."""
        return cls(ingest.max_waiting, ingest.max_waiting_bytes, ingest.max_batch, ingest.max_wait_seconds)


class GroupCommitter:
    """Group commit around one `settle`, which must be one durable transaction per call."""

    def __init__(
        self, settle: Settle, limits: Limits, metrics: Metrics, prepare: Prepare = _prepare_nothing
    ) -> None:
        self._metrics = metrics
        self._prepare = prepare
        self._settle = settle
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
        self._next_look: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._turns: set[asyncio.Task[None]] = set()
        metrics.keep_up(lambda: metrics.waiting.set(self._messages))

    @property
    def stuck(self) -> bool:
        """Whether a transaction runs that nobody waits for any more; submissions are turned away."""
        return self._stuck > 0

    @property
    def full(self) -> bool:
        """Whether the next submission would be turned away."""
        return (
            self._closing
            or self._stuck > 0
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

        Costly ones are settled share by share. Raises Unavailable when too much waits already, or when the
        store does not commit now, or not in time; what was settled until then is a duplicate later.
        """
        if self.full:
            raise self._refusal()
        costs = cost(works)
        if is_costly(costs):
            return await self._in_shares(works, size)
        return await self._queued(works, costs, size, costly=False)

    async def _in_shares(self, works: Sequence[Work], size: int) -> list[Result]:
        """Have works settled share by share; what is not in the queue yet weighs like what is."""
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
                results += await self._queued(share, cost(share), part, costly=True)
        finally:
            self._hold(-messages, -held)
        return results

    async def _queued(self, works: Sequence[Work], costs: int, size: int, *, costly: bool) -> list[Result]:
        loop = asyncio.get_running_loop()
        waiting = Waiting(works, costs, size, loop.time(), loop.create_future())
        self._queue.add(waiting, costly=costly)
        self._weigh([waiting], +1)
        self._arrived.set()
        if self._next_look is None:
            self._next_look = loop.call_at(waiting.arrived + self._limits.max_wait, self._look)
        try:
            return await waiting.answer
        except Unprepared as unprepared:
            await self._complete(waiting, unprepared.names)
        prepared = _all_prepared(works)
        return await self._queued(prepared, costs, size, costly=costly)

    async def _complete(self, waiting: Waiting, names: Collection[str]) -> None:
        """Have histories completed that works ask; they weigh on meanwhile. Raises Unavailable when late."""
        self._weigh([waiting], +1)
        try:
            async with asyncio.timeout(self._limits.max_wait):
                await self._prepare(names)
        except TimeoutError:
            raise Unavailable("the pasts of customers are being read", retry_after=2) from None
        finally:
            self._weigh([waiting], -1)
        if self._closing or self._stuck:
            raise self._refusal()

    async def run(self) -> None:
        """Settle what arrives until `close`, and then what is still waiting.

        When the store fails slowly, or after `close`, all that waits is told so at once: nothing of it was
        acknowledged, and to try each batch against a store that is stuck would keep senders, and the process,
        for minutes.
        """
        self._begin_turns()
        while self._turns:
            await asyncio.gather(*self._turns)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Settle what arrives; at the end what is still waiting is settled, too."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            self.close()
            await task

    def close(self) -> None:
        """Turn new work away; `run` returns when the queue is empty."""
        self._closing = True
        self._arrived.set()

    def _refusal(self) -> Unavailable:
        if self._closing:
            return Unavailable("the server is shutting down")
        if self._stuck:
            return _too_late()
        return Unavailable("too many messages are waiting")

    def _begin_turns(self) -> None:
        turns = asyncio.create_task(self._take_turns())
        self._turns.add(turns)
        turns.add_done_callback(self._turns.discard)

    def _pass_on(self, batch: Batch) -> None:
        """Let whoever comes after a batch have their turn, while it is being settled."""
        if not batch.passed_on:
            batch.passed_on = True
            self._begin_turns()

    async def _take_turns(self) -> None:
        """Settle batch after batch, until somebody else goes on while the last of them is settled."""
        while self._queue or not self._closing:
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            elif len(self._under_way) == _ABREAST:
                self._ended.clear()
                await self._ended.wait()
            else:
                batch = self._take()
                await self._commit(batch)
                if batch.passed_on:
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
                results = await self._settled_without_late(batch)
        except AdapterError as error:
            failure = error
        except Exception:  # noqa: BLE001 - told to whoever waits, and logged
            # Whoever waits must hear of it, and whoever comes next must be served.
            _log.exception("a batch could not be settled")
            failure = Unavailable("the messages could not be settled")
        self._recover(batch, failure)
        if self._failing is (failure is None):
            self._turn(failure)
        self._answer(batch.waiting, results, failure)
        self._weigh(batch.waiting, -1)
        self._answered = sum(waiting.cost for waiting in batch.waiting)
        self._under_way.remove(batch)
        self._ended.set()
        slowly = asyncio.get_running_loop().time() - batch.began > _SLOW
        if failure is not None and (self._closing or slowly):
            self._give_up(self._queue.drain(), failure)

    def _give_up(self, waiting: list[Waiting], failure: AdapterError) -> None:
        self._answer(waiting, None, failure)
        self._weigh(waiting, -1)

    def _look(self) -> None:
        """Tell what has waited too long to come again, and look again when that may be so of the next."""
        loop, limit = asyncio.get_running_loop(), self._limits.max_wait
        since = loop.time() + _TOLERANCE - limit
        self._give_up(self._queue.drain(since), _too_late())
        for batch in self._under_way:
            self._answer([each for each in batch.waiting if each.arrived <= since], None, _too_late())
            if batch.began <= since and not batch.late:
                self._lose_patience(batch)
        begun = [each.arrived for each in self._queue]
        for batch in self._under_way:
            begun += [each.arrived for each in batch.waiting if not each.answer.done()]
            begun += [] if batch.late else [batch.began]
        self._next_look = loop.call_at(min(begun) + limit, self._look) if begun else None

    def _lose_patience(self, batch: Batch) -> None:
        """Turn everyone away; what is taken weighs on, for it is in memory until its transaction ends."""
        batch.late = True
        self._stuck += 1
        _log.warning("a transaction has not ended in time, until it does everyone is turned away")
        self._give_up(self._queue.drain(), _too_late())

    def _recover(self, batch: Batch, failure: AdapterError | None) -> None:
        if batch.late:
            self._stuck -= 1
            outcome = f"failed: {failure.message}" if failure else "was committed"
            _log.warning("the transaction that had not ended in time %s", outcome)

    def _turn(self, failure: AdapterError | None) -> None:
        """Say when commits begin to fail, and when they succeed again: of each, the log would be full."""
        self._failing = failure is not None
        if failure is not None:
            _log.warning("commits are failing; senders receive 503: %s", failure.message)
        else:
            _log.warning("commits succeed again")

    async def _settled_without_late(self, batch: Batch) -> list[Result]:
        """Settle a batch; submissions whose works are not prepared leave it, as often as there are some."""
        on_locks_acquired = partial(self._pass_on, batch)
        while batch.waiting:
            try:
                return await self._settled_apart(batch.works, on_locks_acquired)
            except Unprepared as unprepared:
                late = {id(work) for work in unprepared.works}
                gone = [each for each in batch.waiting if any(id(work) in late for work in each.works)]
                batch.leave(gone)
                self._answer(gone, None, unprepared)
                self._weigh(gone, -1)
        return []

    async def _settled_apart(self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        """Settle works, erasures in transactions of their own; whoever comes next waits for all of them."""
        *before, last = apart(works)
        results = [result for part in before for result in await self._part(part, _to_nobody)]
        return results + await (self._part if before else self._settled)(last, on_locks_acquired)

    async def _part(self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        """Settle works beside others that are settled already: none of them is put off."""
        try:
            return await self._settled(works, on_locks_acquired)
        except Unprepared:
            return await self._settled(_all_prepared(works), on_locks_acquired)

    async def _settled(self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        """Settle works; those that nobody foresaw to fail are found, and quarantined, or refused.

        What cannot be written is sifted out at once; whatever else fails is found by halving.
        """
        try:
            return await self._settle(works, on_locks_acquired)
        except (AdapterError, Unprepared):
            raise
        except Exception as error:
            if len(works) > 1:
                kept = sifted(works)
                if kept is not None:
                    return await self._settled(kept, on_locks_acquired)
                half = len(works) // 2
                first = await self._part(works[:half], on_locks_acquired)
                return first + await self._part(works[half:], on_locks_acquired)
            if not works or works[0].quarantine is not None:
                raise Unavailable("the message cannot be stored") from error
            _log.exception("a message could not be decided", extra={"source": works[0].source})
            reason = f"internal error while deciding: {type(error).__name__}"
            if works[0].document is None:
                # Whoever asked waits for the answer; there is no message to be replayed.
                return [Result(works[0].message_id, "ignored", reason, error=Unavailable.code)]
            return await self._settled([quarantined(works[0], reason)], on_locks_acquired)

    def _answer(
        self, taken: list[Waiting], results: list[Result] | None, error: AdapterError | Unprepared | None
    ) -> None:
        start = 0
        for waiting in taken:
            end = start + len(waiting.works)
            if waiting.answer.done():
                pass  # whoever asked is gone, or was told to come again
            elif results is None:
                waiting.answer.set_exception(error or Unavailable("the store gave no answer"))
            else:
                waiting.answer.set_result(results[start:end])
            start = end

    def _weigh(self, these: Sequence[Waiting], sign: int) -> None:
        for waiting in these:
            self._hold(sign * len(waiting.works), sign * waiting.size)
            self._costs += sign * waiting.cost

    def _hold(self, messages: int, size: int) -> None:
        self._messages += messages
        self._bytes += size


def _all_prepared(works: Sequence[Work]) -> list[Work]:
    """Return works of which none is put off, for others are settled apart from them."""
    return [replace(work, prepared=True) for work in works]


def _to_nobody() -> None:
    """Pass nothing on."""


def _too_late() -> Unavailable:
    return Unavailable(_STUCK, retry_after=2)
