"""Two transactions may be under way at a time, where the store says when its locks are held."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from adapter.errors import Unavailable
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired
from tests.services.committing import HASTY, running, settle, submitted, work


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
