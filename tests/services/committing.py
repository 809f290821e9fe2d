"""A committer that runs, and what it settles by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

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
