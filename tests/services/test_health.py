"""Readiness, where the store is slow to say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from adapter.metrics import Metrics
from adapter.services.committer import Committer, Limits
from adapter.services.health import Health
from adapter.services.results import Result
from adapter.services.work import Work


class Stuck:
    """A store that never answers."""

    async def ping(self) -> None:
        await asyncio.Event().wait()


async def _settle(_: Sequence[Work]) -> list[Result]:
    return []


async def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    health = Health(Stuck(), Committer(_settle, Limits(), Metrics()), patience=0.05)
    async with asyncio.timeout(2):
        store, queue, files = await health.ready()
    assert (store.ok, store.detail) == (False, "it has not answered for 0.05 seconds")
    assert queue.ok
    assert files.ok
