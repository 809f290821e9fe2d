"""What one sender sends, whatever it costs, keeps what others send for no more than a transaction or two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.operations import CustomerErase, CustomerMerge, CustomerUpsert, Operation
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def work(sender: str, number: int, operation: Operation) -> Work:
    return Work("segment", f"{sender}-{number}", sender, NOW, (operation,), document={"messageId": sender})


def aliases(sender: str, count: int) -> list[Work]:
    return [work(sender, n, CustomerMerge(f"{sender}{n + 1}", f"{sender}{n}")) for n in range(count)]


def events(sender: str, count: int) -> list[Work]:
    return [work(sender, n, CustomerUpsert(sender)) for n in range(count)]


def erasures(sender: str, count: int) -> list[Work]:
    """Erasures between other messages: each is a transaction of its own."""
    pairs = [(work(sender, n, CustomerErase(f"{sender}{n}")), work(sender, -n - 1, CustomerUpsert(sender)))
             for n in range(count)]  # fmt: skip
    return [each for pair in pairs for each in pair]


class Transactions:
    """Settles anything after `seconds`, and counts the messages that it was given."""

    def __init__(self, seconds: float = 0) -> None:
        self.settled = 0
        self._seconds = seconds

    async def settle(self, batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        await asyncio.sleep(self._seconds)
        self.settled += len(batch)
        return [Result(each.message_id, "processed") for each in batch]


@asynccontextmanager
async def running(store: Transactions, limits: Limits | None = None) -> AsyncIterator[GroupCommitter]:
    committer = GroupCommitter(store.settle, limits or Limits(), Metrics())
    task = asyncio.create_task(committer.run())
    yield committer
    committer.close()
    await task


COSTLY = {"aliases": aliases, "events": events, "erasures": erasures}


#: So many messages of a kind are settled at a time.
SHARES = {"aliases": 21, "events": 350, "erasures": 10}


@pytest.mark.parametrize("kind", COSTLY)
@pytest.mark.parametrize("bodies", [1, 8])
async def test_one_message_is_committed_after_at_most_two_shares(kind: str, bodies: int) -> None:
    store = Transactions()
    async with running(store) as committer:
        costly = [
            asyncio.create_task(committer.submit(COSTLY[kind](f"attacker{n}", 900))) for n in range(bodies)
        ]
        await asyncio.sleep(0.001)
        before = store.settled
        assert [each.outcome for each in await committer.submit(events("honest", 1))] == ["processed"]
        assert store.settled - before <= 2 * SHARES[kind] + 1
        answers = await asyncio.gather(*costly)
    assert {len(answer) for answer in answers} == {len(COSTLY[kind]("", 900))}


@pytest.mark.parametrize("kind", COSTLY)
async def test_costly_bodies_take_turns(kind: str) -> None:
    store = Transactions()
    async with running(store) as committer:
        costly = [asyncio.create_task(committer.submit(COSTLY[kind](f"attacker{n}", 900))) for n in range(4)]
        await asyncio.sleep(0.001)
        before = store.settled
        await committer.submit(events("honest", 100))
        assert store.settled - before <= (4 + 2) * SHARES[kind] + 100
        await asyncio.gather(*costly)


@pytest.mark.parametrize("kind", COSTLY)
async def test_a_body_is_settled_in_its_order_and_answered_in_its_place(kind: str) -> None:
    works = [*aliases("a", 60), *COSTLY[kind]("b", 400)]
    settled: list[str] = []

    async def settle(batch: Sequence[Work], _: OnLocksAcquired) -> list[Result]:
        settled.extend(each.key for each in batch)
        return [Result(each.key, "processed") for each in batch]

    committer = GroupCommitter(settle, Limits(), Metrics())
    task = asyncio.create_task(committer.run())
    results = await committer.submit(works)
    committer.close()
    await task
    assert settled == [each.key for each in works]
    assert [each.message_id for each in results] == settled


async def test_a_timeout_in_the_queue_fails_only_that_sender() -> None:
    store = Transactions(seconds=0.04)
    async with running(store, Limits(max_wait=0.2)) as committer:
        costly = [asyncio.create_task(committer.submit(aliases(f"attacker{n}", 400))) for n in range(30)]
        await asyncio.sleep(0.05)
        for number in range(12):
            assert len(await committer.submit(events(f"honest{number}", 1))) == 1
            assert not committer.stuck
        refused = await asyncio.gather(*costly, return_exceptions=True)
    assert any(isinstance(each, Unavailable) for each in refused)


@pytest.mark.parametrize("kind", COSTLY)
async def test_closing_ends_after_the_shares_that_are_under_way(kind: str) -> None:
    store = Transactions()
    async with running(store) as committer:
        costly = [asyncio.create_task(committer.submit(COSTLY[kind](f"attacker{n}", 900))) for n in range(3)]
        await asyncio.sleep(0.001)
        before = store.settled
        committer.close()
        refused = await asyncio.gather(*costly, return_exceptions=True)
    assert [type(each) for each in refused] == [Unavailable] * 3
    assert store.settled - before <= 3 * SHARES[kind]


async def test_slices_of_a_costly_body_weigh_until_they_are_settled() -> None:
    store, metrics = Transactions(seconds=0.01), Metrics()
    committer = GroupCommitter(store.settle, Limits(max_bytes=1000), metrics)
    task = asyncio.create_task(committer.run())
    body = asyncio.create_task(committer.submit(aliases("attacker", 200), 1000))
    await asyncio.sleep(0.005)
    assert committer.full
    with pytest.raises(Unavailable):
        await committer.submit(events("honest", 1))
    assert len(await body) == 200
    assert "adapter_waiting_messages 0.0" in metrics.render().decode()
    assert not committer.full
    committer.close()
    await task
