"""The committer gathers what waits, and one bad message never costs its batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.settling import Settle
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def work(name: str) -> Work:
    return Work("segment", name, name, NOW, document={"messageId": name})


async def settle(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
    return [Result(each.message_id, "quarantined" if each.quarantine else "processed") for each in batch]


@asynccontextmanager
async def running(settling: Settle, limits: Limits | None = None) -> AsyncIterator[GroupCommitter]:
    committer = GroupCommitter(settling, limits or Limits(), Metrics())
    task = asyncio.create_task(committer.run())
    yield committer
    committer.close()
    await task


async def test_answers_keep_the_order_of_their_works() -> None:
    async with running(settle) as committer:
        answers = await asyncio.gather(*(committer.submit([work(f"{n}a"), work(f"{n}b")]) for n in range(50)))
    ids = [[result.message_id for result in answer] for answer in answers]
    assert ids == [[f"{n}a", f"{n}b"] for n in range(50)]


async def test_messages_that_arrive_during_a_commit_are_settled_in_two_alternating_batches() -> None:
    sizes: list[int] = []
    gate = asyncio.Event()

    async def slow(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        sizes.append(len(batch))
        await gate.wait()
        return await settle(batch, _)

    async with running(slow) as committer:
        first = asyncio.create_task(committer.submit([work("first")]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [asyncio.create_task(committer.submit([work(f"m{n}")])) for n in range(20)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(first, *rest)
    assert sizes == [1, 11, 9]


async def test_only_the_message_that_fails_to_be_decided_is_quarantined() -> None:
    async def brittle(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        if any(each.key == "bad" and each.quarantine is None for each in batch):
            raise ZeroDivisionError
        return await settle(batch, _)

    async with running(brittle) as committer:
        answers = await committer.submit([work(name) for name in ("a", "b", "bad", "c", "d")])
    assert [result.outcome for result in answers] == ["processed"] * 2 + ["quarantined"] + ["processed"] * 2


async def test_an_unavailable_store_fails_queued_messages_and_no_later_ones() -> None:
    down = True

    async def shaky(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        if down:
            raise Unavailable("the store is locked")
        return await settle(batch, _)

    async with running(shaky) as committer:
        answers = await asyncio.gather(
            *(committer.submit([work(str(n))]) for n in range(3)), return_exceptions=True
        )
        assert all(isinstance(answer, Unavailable) for answer in answers)
        down = False
        assert [result.outcome for result in await committer.submit([work("later")])] == ["processed"]


async def test_a_store_that_fails_slowly_is_not_tried_for_each_batch_while_others_wait() -> None:
    tried = []

    async def stuck(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        tried.append(len(batch))
        await asyncio.sleep(0.6)
        raise Unavailable("the store does not answer")

    async with running(stuck, Limits(max_batch=1)) as committer:
        sent = [committer.submit([work(f"m{n}")]) for n in range(20)]
        answers = await asyncio.gather(*sent, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["the store does not answer"] * 20
    assert tried == [1]


async def test_an_internal_error_fails_the_batch_and_the_committer_continues() -> None:
    faulty = True

    async def short(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        if faulty:
            raise Unavailable("away")
        return await settle(batch, _)

    class Failing(Metrics):
        def __init__(self) -> None:
            super().__init__()
            self.commit_seconds.time = self._fail  # type: ignore[method-assign]

        def _fail(self) -> Any:
            if faulty:
                raise ZeroDivisionError
            return nullcontext()

    committer = GroupCommitter(short, Limits(), Failing())
    running_committer = asyncio.create_task(committer.run())
    with pytest.raises(Unavailable, match="could not be committed"):
        await committer.submit([work("unlucky")])
    faulty = False
    assert [result.outcome for result in await committer.submit([work("next")])] == ["processed"]
    committer.close()
    await running_committer


async def test_past_the_limit_new_work_is_turned_away_at_once() -> None:
    gate = asyncio.Event()

    async def stuck(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await gate.wait()
        return await settle(batch, _)

    async with running(stuck, Limits(max_messages=2)) as committer:
        accepted = [asyncio.create_task(committer.submit([work(str(n))])) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too many messages are queued"):
            await committer.submit([work("one too many")])
        gate.set()
        await asyncio.gather(*accepted)


async def test_closing_settles_queued_messages_and_refuses_new_ones() -> None:
    async with running(settle) as committer:
        waiting = asyncio.create_task(committer.submit([work("waiting")]))
        await asyncio.sleep(0)
        committer.close()
        with pytest.raises(Unavailable, match="shutting down"):
            await committer.submit([work("late")])
        assert len(await waiting) == 1


async def test_readiness_fails_before_messages_are_refused() -> None:
    gate = asyncio.Event()

    async def slow(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await gate.wait()
        return await settle(batch, _)

    async with running(slow, Limits(max_messages=10, max_bytes=100)) as committer:
        seen = []
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(committer.submit([work(str(number))])))
            await asyncio.sleep(0)
            seen.append((committer.nearly_full, committer.full))
        gate.set()
        await asyncio.gather(*tasks)
        assert seen == [(False, False)] * 7 + [(True, False)] * 2 + [(True, True)]
        assert not committer.nearly_full


async def test_a_store_that_fails_while_stopping_is_not_tried_for_each_batch() -> None:
    asked = 0
    gate = asyncio.Event()

    async def away(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        nonlocal asked
        asked += 1
        await gate.wait()
        raise Unavailable("the store is away")

    async with running(away, Limits(max_batch=1)) as committer:
        tasks = [asyncio.create_task(committer.submit([work(str(number))])) for number in range(20)]
        await asyncio.sleep(0.01)
        committer.close()
        gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 20
    assert asked == 1


class Stuck:
    """A settling that waits for `gate`, and remembers how many messages each transaction had."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = asyncio.Event()
        self.sizes: list[int] = []
        self._error = error

    async def settle(self, batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        self.sizes.append(len(batch))
        await self.gate.wait()
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return await settle(batch, _)


def submitted(committer: GroupCommitter, many: int) -> list[asyncio.Task[list[Result]]]:
    return [asyncio.create_task(committer.submit([work(f"m{n}")], size=10)) for n in range(many)]


#: Waits so short that a test can outwait them.
HASTY = Limits(max_batch=2, max_wait=0.1)


async def test_a_submission_times_out_while_its_transaction_continues() -> None:
    store = Stuck()
    async with running(store.settle, HASTY) as committer:
        async with asyncio.timeout(60):
            answers = await asyncio.gather(*submitted(committer, 20), return_exceptions=True)
        assert {str(answer) for answer in answers} == {
            "the commit timed out; check the store and the connection to it"
        }
        assert store.sizes == [2], "what the transaction had is all that is still to be committed"
        store.gate.set()
    assert store.sizes == [2], "what was told to come again is not settled besides"


@pytest.mark.parametrize("error", [None, Unavailable("cut off")])
async def test_a_stuck_transaction_refuses_new_messages_until_it_ends(
    error: Exception | None,
) -> None:
    store = Stuck(error)
    async with running(store.settle, HASTY) as committer:
        await asyncio.gather(*submitted(committer, 3), return_exceptions=True)
        assert (committer.stuck, committer.full, committer.nearly_full) == (True, True, True)
        with pytest.raises(Unavailable, match="commit timed out"):
            await committer.submit([work("while it is stuck")])
        assert store.sizes == [2], "no transaction begins beside one that is stuck"
        store.gate.set()
        await asyncio.sleep(0.01)
        assert not committer.stuck
        assert [result.outcome for result in await committer.submit([work("after")])] == ["processed"]


async def test_time_in_the_queue_counts_toward_the_timeout() -> None:
    ended: list[int] = []

    async def slow(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await asyncio.sleep(0.3)
        ended.append(len(batch))
        return await settle(batch, _)

    async with running(slow, Limits(max_batch=1, max_wait=0.5)) as committer:
        first, second = submitted(committer, 2)
        assert len(await first) == 1
        with pytest.raises(Unavailable, match="commit timed out"):
            await second
        assert ended == [1], "half a second had not passed since the second began, but since it came"
    assert ended == [1, 1], "both are committed, though one was not heard"


async def test_no_transaction_is_measured_by_the_patience_of_one_that_has_ended() -> None:
    async def brisk(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await asyncio.sleep(0.03)
        return await settle(batch, _)

    async with running(brisk, Limits(max_wait=0.5)) as committer:
        for name in range(25):
            assert len(await committer.submit([work(str(name))])) == 1


async def test_a_stuck_batch_weighs_until_it_ends_and_an_abandoned_message_does_not() -> None:
    store, metrics = Stuck(), Metrics()
    committer = GroupCommitter(store.settle, HASTY, metrics)
    running_committer = asyncio.create_task(committer.run())
    await asyncio.gather(*submitted(committer, 20), return_exceptions=True)
    assert "adapter_waiting_messages 2.0" in metrics.render().decode()
    store.gate.set()
    committer.close()
    await running_committer
    assert "adapter_waiting_messages 0.0" in metrics.render().decode()


async def test_closing_waits_only_for_a_stuck_transaction() -> None:
    store = Stuck()
    async with running(store.settle, HASTY) as committer:
        await asyncio.gather(*submitted(committer, 20), return_exceptions=True)
        committer.close()
        with pytest.raises(Unavailable, match="shutting down"):
            await committer.submit([work("late")])
        store.gate.set()
    assert store.sizes == [2]


class Server:
    """A settling that passes on as soon as `locked` lets it, and ends when `written` lets it."""

    def __init__(self, *, locked: bool = True) -> None:
        self.locked = asyncio.Event()
        if locked:
            self.locked.set()
        self.written = asyncio.Event()
        self.begun: list[list[str]] = []

    async def settle(self, batch: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        self.begun.append([each.key for each in batch])
        await self.locked.wait()
        on_locks_acquired()
        on_locks_acquired()
        await self.written.wait()
        return await settle(batch, on_locks_acquired)


async def test_no_batch_begins_before_the_one_before_has_its_locks() -> None:
    server = Server(locked=False)
    async with running(server.settle, Limits(max_batch=1)) as committer:
        sent = submitted(committer, 4)
        await asyncio.sleep(0.01)
        assert server.begun == [["m0"]]
        server.locked.set()
        server.written.set()
        await asyncio.gather(*sent)


async def test_two_batches_are_under_way_at_a_time_in_the_order_of_their_coming() -> None:
    server = Server()
    async with running(server.settle, Limits(max_batch=1)) as committer:
        sent = submitted(committer, 6)
        await asyncio.sleep(0.01)
        assert server.begun == [["m0"], ["m1"]]
        server.written.set()
        answers = await asyncio.gather(*sent)
    assert [each.message_id for answer in answers for each in answer] == [f"m{n}" for n in range(6)]
    assert server.begun == [[f"m{n}"] for n in range(6)]


async def test_a_message_that_cannot_be_decided_is_quarantined_alone_also_with_concurrent_batches() -> None:
    server = Server()
    server.written.set()

    async def brittle(batch: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        results = await server.settle(batch, on_locks_acquired)
        if any(each.key == "m3" and each.quarantine is None for each in batch):
            raise ZeroDivisionError
        return results

    async with running(brittle) as committer:
        answers = await asyncio.gather(*submitted(committer, 12))
    assert [answer[0].outcome for answer in answers] == [
        "quarantined" if n == 3 else "processed" for n in range(12)
    ]


async def test_after_two_stuck_batches_the_last_to_end_reopens_the_queue() -> None:
    ends = [asyncio.Event() for _ in range(2)]
    number = iter(range(9))

    async def slow(batch: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        on_locks_acquired()
        this = next(number)
        if this < len(ends):
            await ends[this].wait()
        return await settle(batch, on_locks_acquired)

    async with running(slow, HASTY) as committer:
        await asyncio.gather(*submitted(committer, 20), return_exceptions=True)
        for end in ends:
            assert committer.stuck
            with pytest.raises(Unavailable, match="commit timed out"):
                await committer.submit([work("while it is stuck")])
            end.set()
            await asyncio.sleep(0.01)
        assert not committer.stuck
        assert [result.outcome for result in await committer.submit([work("after")])] == ["processed"]


async def test_closing_waits_for_running_batches_and_settles_queued_messages() -> None:
    server = Server()
    async with running(server.settle, Limits(max_batch=1)) as committer:
        sent = submitted(committer, 5)
        await asyncio.sleep(0.01)
        committer.close()
        assert len(server.begun) == 2
        server.written.set()
    assert [len(await each) for each in sent] == [1] * 5
