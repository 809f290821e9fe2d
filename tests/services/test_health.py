"""Readiness, where the store is slow to say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import pytest

from adapter.errors import Refused, StoreUnavailable, Unavailable
from adapter.metrics import Metrics
from adapter.services.health import Check, Health, Pinged
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired


class Stuck:
    """A store that never answers."""

    def __init__(self) -> None:
        self.pings = 0

    async def ping(self) -> None:
        self.pings += 1
        await asyncio.Event().wait()


class Answering:
    """A store that commits at once."""

    async def ping(self) -> None:
        return


async def _settle(_: Sequence[Work], _on_locks_acquired: OnLocksAcquired) -> list[Result]:
    return []


async def test_a_store_that_does_not_answer_is_not_waited_for() -> None:
    health = Health(
        Stuck(), GroupCommitter(_settle, Limits(), Metrics()), CommitHealth(lambda: 0), patience=0.05
    )
    async with asyncio.timeout(60):
        store, queue, files = await health.ready()
    assert (store.ok, store.detail) == (False, "no response within 0.05 seconds")
    assert queue.ok
    assert files.ok


async def test_readiness_gives_the_reason_of_a_store_that_refuses_commits_and_does_not_answer() -> None:
    clock = Clock()
    commits = CommitHealth(clock, shunned=5)
    health = Health(Stuck(), GroupCommitter(_settle, Limits(), Metrics()), commits, patience=0.05)
    with suppress(Unavailable), commits.committing():
        raise Unavailable("no room")
    assert (await health.ready())[0].detail == "the last commit failed: no room"
    clock.now += 5
    assert (await health.ready())[0].detail == "no response within 0.05 seconds"


async def test_concurrent_readiness_checks_share_one_ping() -> None:
    store = Stuck()
    health = Health(
        store, GroupCommitter(_settle, Limits(), Metrics()), CommitHealth(lambda: 0), patience=0.05
    )
    await asyncio.gather(*(health.ready() for _ in range(3)))
    await health.ready()
    assert store.pings == 1


async def test_readiness_reports_a_late_commit_while_it_runs() -> None:
    gate = asyncio.Event()

    async def stuck(_: Sequence[Work], _on_locks_acquired: OnLocksAcquired) -> list[Result]:
        await gate.wait()
        return []

    committer = GroupCommitter(stuck, Limits(max_wait=0.05), Metrics())
    health = Health(Answering(), committer, CommitHealth(lambda: 0))
    running = asyncio.create_task(committer.run())
    with suppress(Unavailable):
        await committer.submit([])
    _, queue, _ = await health.ready()
    assert (queue.ok, queue.detail) == (False, "a commit timed out; check the store and the connection to it")
    gate.set()
    await asyncio.sleep(0.01)
    assert all(check.ok for check in await health.ready())
    committer.close()
    await running


class Clock:
    """Seconds, as tests set them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Commits:
    """Commits that end as tests say, and readiness between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        committer = GroupCommitter(_settle, Limits(), Metrics())
        self._commits = CommitHealth(self.clock, shunned=5)
        self._health = Health(Answering(), committer, self._commits)

    def commit(self, error: Exception | None = None) -> None:
        with suppress(type(error) if error else Unavailable), self._commits.committing():
            if error:
                raise error

    async def ready(self) -> tuple[bool, str]:
        store, _, _ = await self._health.ready()
        return store.ok, store.detail


@pytest.fixture
def commits() -> Commits:
    return Commits()


async def test_a_refused_commit_is_not_ready_though_a_ping_fits(commits: Commits) -> None:
    commits.commit(Unavailable("no room"))
    assert await commits.ready() == (False, "the last commit failed: no room")


async def test_a_commit_that_succeeds_is_ready_again_at_once(commits: Commits) -> None:
    commits.commit(Unavailable("no room"))
    commits.commit()
    assert await commits.ready() == (True, "")


async def test_readiness_returns_after_a_while_without_traffic(commits: Commits) -> None:
    commits.commit(Unavailable("no room"))
    commits.clock.now += 4.9
    assert not (await commits.ready())[0]
    commits.clock.now += 0.1
    assert await commits.ready() == (True, "")
    commits.commit(Unavailable("still no room"))
    assert await commits.ready() == (False, "the last commit failed: still no room")


async def test_the_place_of_the_store_is_logged_and_not_sent(
    commits: Commits, caplog: pytest.LogCaptureFixture
) -> None:
    commits.commit(StoreUnavailable("the store /var/a.db cannot be used now"))
    assert await commits.ready() == (False, "the last commit failed: the store cannot be used now")
    assert "a commit failed: the store /var/a.db cannot be used now" in caplog.text


class Away:
    """A store that cannot be used."""

    async def ping(self) -> None:
        raise StoreUnavailable("the store /var/a.db cannot be used now")


async def test_an_unavailable_store_is_logged_at_intervals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    health = Health(Away(), GroupCommitter(_settle, Limits(), Metrics()), CommitHealth(clock, shunned=5))
    for now in (100, 101, 104.9, 105):
        clock.now = now
        assert (await health.ready())[0].detail == "the store cannot be used now"
    assert [record.message for record in caplog.records] == [
        "the store is not ready: the store /var/a.db cannot be used now"
    ] * 2


@pytest.mark.parametrize("error", [Refused("not like this"), ValueError("a message of its own kind")])
async def test_an_error_outside_the_store_leaves_it_ready(commits: Commits, error: Exception) -> None:
    commits.commit(error)
    assert (await commits.ready())[0]


async def test_destinations_are_checked_only_while_the_store_answers() -> None:
    async def paused() -> Check:
        return Check("destinations", ok=False, detail="`crm` is paused")

    async def stuck() -> Check:
        await asyncio.Event().wait()
        return Check("destinations", ok=True)

    committer = GroupCommitter(_settle, Limits(), Metrics())

    async def names(store: Pinged, destinations: Callable[[], Coroutine[Any, Any, Check]]) -> list[str]:
        commits = CommitHealth(lambda: 0)
        health = Health(store, committer, commits, patience=0.05, destinations=destinations)
        return [check.name for check in await health.ready()]

    assert await names(Answering(), paused) == ["store", "queue", "files", "destinations"]
    assert await names(Answering(), stuck) == ["store", "queue", "files"]
    assert await names(Stuck(), paused) == ["store", "queue", "files"]
