"""A message that is committed after its timeout is stored once, and the retry gets its result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.store.transaction_contract import OnLocksAcquired

RULE = """
rules:
  - name: gift
    trigger: started
    action: {type: percentage_off, value: 10}
    guardrails: {max_total_redemptions: 3}
"""


class Late:
    """A store that commits at once and says so when `gate` is set."""

    def __init__(self, store: Any) -> None:
        self.gate = asyncio.Event()
        self._store = store
        self.secret = store.secret

    async def transact(
        self, script: Callable[[Any], Awaitable[Any]], on_locks_acquired: OnLocksAcquired | None = None
    ) -> Any:
        result = await self._store.transact(script, on_locks_acquired)
        await self.gate.wait()
        return result


async def test_a_commit_after_the_timeout_answers_the_repeated_message_as_a_duplicate(open_desk: Any) -> None:
    desk = await open_desk(RULE)
    store, desk.store = desk.store, Late(desk.store)
    committer = GroupCommitter(desk.settle, Limits(max_wait=0.1), Metrics())
    running = asyncio.create_task(committer.run())
    works = [desk.work(desk.event("started", f"u{number}"), key=f"m{number}") for number in range(5)]
    with pytest.raises(Unavailable, match="commit timed out"):
        await committer.submit(works)
    desk.store.gate.set()
    async with asyncio.timeout(60):
        while committer.stuck:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    answers = await committer.submit(works)
    assert [answer.outcome for answer in answers] == ["duplicate"] * 5
    told = [discount.code for answer in answers for discount in answer.discounts]
    kept = [held.discount.code for number in range(5) for held in await store.discounts(f"u{number}")]
    assert len(told) == 3
    assert sorted(kept) == sorted(told)
    committer.close()
    await running
