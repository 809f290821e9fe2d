"""The committer gathers what waits, and one bad message never costs its batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired
from tests.services.committing import HASTY, Stuck, running, settle, submitted, work


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
