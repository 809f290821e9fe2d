"""Readiness, where the store is slow to say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.services.committer import Committer, Limits
from adapter.services.health import Health
from adapter.services.results import Result
from adapter.services.work import Work


class Stuck:
    """A store that never answers."""

    async def ping(self) -> None:
        await asyncio.Event().wait()


class Answering:
    """A store that commits at once."""

    async def ping(self) -> None:
        return


async def _settle(_: Sequence[Work]) -> list[Result]:
    return []


async def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    health = Health(Stuck(), Committer(_settle, Limits(), Metrics()), patience=0.05)
    async with asyncio.timeout(2):
        store, queue, files = await health.ready()
    assert (store.ok, store.detail) == (False, "it has not answered for 0.05 seconds")
    assert queue.ok
    assert files.ok


async def test_a_commit_that_does_not_end_in_time_is_told_as_long_as_it_runs() -> None:
    gate = asyncio.Event()

    async def stuck(_: Sequence[Work]) -> list[Result]:
        await gate.wait()
        return []

    committer = Committer(stuck, Limits(max_wait=0.05), Metrics())
    health = Health(Answering(), committer)
    running = asyncio.create_task(committer.run())
    with suppress(Unavailable):
        await committer.submit([])
    _, queue, _ = await health.ready()
    assert (queue.ok, queue.detail) == (False, "a commit has not ended in time: see what keeps the store")
    gate.set()
    await asyncio.sleep(0.01)
    assert all(check.ok for check in await health.ready())
    committer.close()
    await running
