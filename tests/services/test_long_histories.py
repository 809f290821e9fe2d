"""A long past is read apart from the transactions that decide, and others do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.metrics import Metrics
from adapter.model.event_names import EventNames
from adapter.model.operations import CustomerErase, CustomerMerge
from adapter.rules.history.history import History
from adapter.rules.history.time_buckets import MICRO
from adapter.services.ingest import history_completion
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.history_completion import HistoryCompleter, Unprepared
from tests.services.test_backfill import NEW, OLD, outcome

#: So many events weigh more than one transaction reads.
LONG = history_completion.BUDGET // history_completion.ROW + 100


class Shop:
    """A committer over a desk; counts the events that its transactions read of pasts."""

    def __init__(self, desk: Any) -> None:
        books: Any = SimpleNamespace(mappings=SimpleNamespace(names=EventNames()))
        self.desk = desk
        self.books = books
        self.completer = HistoryCompleter(desk.store, books, lambda: desk.now)
        self.committer = GroupCommitter(desk.settle, Limits(max_wait=30), Metrics(), self.prepare)
        self.read: list[int] = []
        self.prepared: list[set[str]] = []
        self.may_prepare = asyncio.Event()
        self.may_prepare.set()

    async def prepare(self, names: Any) -> None:
        self.prepared.append(set(names))
        await self.may_prepare.wait()
        await self.completer.complete(names)

    async def take(self, *operations: Any) -> Any:
        [result] = await self.committer.submit([self.desk.work(*operations)])
        return result

    def now(self, book: Any) -> None:
        self.desk.book = self.books.rules = book


@pytest.fixture
async def shop(open_desk: Any, make_rules: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """A shop where `ann` has a long past, `bob` a short one, and then a rule is new."""
    desk = await open_desk(OLD)
    orders = [desk.event("order_completed", "ann", minutes=-1 - at / 1_000, total=1) for at in range(LONG)]
    for start in range(0, LONG, 1_000):
        await desk.settle([desk.work(order) for order in orders[start : start + 1_000]])
    await desk.take(desk.event("order_completed", "bob", minutes=-1, total=100))
    shop = Shop(desk)
    shop.now(make_rules(NEW))
    transact = desk.store.transact

    class Counting:
        def __init__(self, transaction: Any) -> None:
            self._transaction = transaction

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transaction, name)

        async def past(self, source_ids: Any) -> Any:
            found = await self._transaction.past(source_ids)
            shop.read.append(sum(map(len, found.values())))
            return found

    def counted(script: Any, *more: Any) -> Any:
        return transact(lambda opened: script(Counting(opened)), *more)

    monkeypatch.setattr(desk.store, "transact", counted)
    running = asyncio.create_task(shop.committer.run())
    yield shop
    shop.committer.close()
    await running
    await shop.completer.stop()


async def test_messages_that_need_no_long_history_are_answered_before_it_is_read(shop: Shop) -> None:
    shop.may_prepare.clear()
    ann = asyncio.create_task(shop.take(shop.desk.event("checkout_started", "ann")))
    bob = await asyncio.wait_for(shop.take(shop.desk.event("checkout_started", "bob")), 20)
    assert outcome(bob)
    assert not ann.done()
    shop.may_prepare.set()
    assert outcome(await ann)
    assert shop.prepared == [{"ann"}]
    assert max(shop.read) < LONG


async def test_of_one_batch_only_messages_that_need_a_long_history_are_deferred(shop: Shop) -> None:
    shop.may_prepare.clear()
    tasks = [
        asyncio.create_task(shop.take(shop.desk.event("checkout_started", who)))
        for who in ("bob", "ann", "new")
    ]
    results = await asyncio.wait_for(asyncio.gather(tasks[0], tasks[2]), 20)
    assert [outcome(result) for result in results] == [True, False]
    shop.may_prepare.set()
    assert outcome(await tasks[1])


async def test_a_history_is_completed_once_and_stored(shop: Shop) -> None:
    results = await asyncio.gather(
        *(shop.take(shop.desk.event("checkout_started", "ann", minute)) for minute in range(5))
    )
    assert [result.outcome for result in results] == ["processed"] * 5
    assert any(outcome(result) for result in results)
    before = len(shop.prepared)
    await shop.take(shop.desk.event("checkout_started", "ann", 9))
    assert len(shop.prepared) == before
    assert [count for count in shop.read if count] == []


async def test_a_history_that_grows_while_it_is_read_is_counted_completely(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, late = shop.desk.store, [shop.desk.event("order_completed", "ann", minutes=-2, total=1)]
    events = store.events

    async def meanwhile(*asked: Any) -> Any:
        if late:
            await shop.desk.take(late.pop())
        return await events(*asked)

    monkeypatch.setattr(store, "events", meanwhile)
    await shop.completer.complete(["ann"])
    history = History.decode((await store.held("ann")).history)
    [figures] = history.tallies["order_completed"].figures.values()
    assert figures.total(timedelta(days=30), int(shop.desk.now.timestamp())) == (LONG + 1) * MICRO
    assert not shop.desk.book.lacks(history)


@pytest.mark.parametrize("how", ["merge", "erase"])
async def test_merges_and_erasures_are_decided_while_a_long_history_is_read(shop: Shop, how: str) -> None:
    operation = CustomerMerge("cid", "ann") if how == "merge" else CustomerErase("ann")
    works = [shop.desk.work(operation), shop.desk.work(shop.desk.event("checkout_started", "cid"))]
    results = await shop.committer.submit(works)
    assert [outcome(result) for result in results] == [False, how == "merge"]
    assert [result.outcome for result in results] == ["processed", "processed"]


async def test_a_message_times_out_while_a_long_history_is_read(open_desk: Any) -> None:
    desk = await open_desk(OLD)

    async def settle(works: Any, _: Any) -> Any:
        raise Unprepared(works, {"ann"})

    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    committer = GroupCommitter(settle, Limits(max_wait=0.05), Metrics(), never)
    running = asyncio.create_task(committer.run())
    with pytest.raises(Unavailable):
        await committer.submit([desk.work()])
    assert not committer.full
    committer.close()
    await running


async def test_a_long_history_stored_under_another_id_is_read_once_too(shop: Shop) -> None:
    await shop.take(CustomerMerge("anna", "ann"))
    assert outcome(await shop.take(shop.desk.event("checkout_started", "anna")))
    history = History.decode((await shop.desk.store.held("anna")).history)
    assert not shop.desk.book.lacks(history)
    assert len(shop.prepared) == 1
