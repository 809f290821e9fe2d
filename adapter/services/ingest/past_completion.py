"""Long pasts, read once before rules that are new ask them: outside of the transactions that decide.

A rule that reads of the past what no rule has read before has each customer's stored events read again, when
the customer comes. A short past is read in the transaction itself. A long one would hold up everybody whose
messages wait for that; so its message is put off, the past is read page by page, and the history is replaced
in a transaction of its own, provided that nothing has been added to it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

from adapter.rules.history.history import Completion, History
from adapter.services.ingest.identities import CustomerState
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store, Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest
from adapter.tasks import unheard

#: What one transaction reads of stored events at most: bytes, and ROW for each.
BUDGET = 1_000_000
ROW = 500
#: Events that are read at a time.
_PAGE = 500
#: So often a history is completed before its message completes it, however long that takes.
_ATTEMPTS = 3


class Unprepared(Exception):
    """Works ask pasts too long for their transaction; those of `names` are to be completed before."""

    def __init__(self, works: Collection[Work], names: Collection[str]) -> None:
        super().__init__("long pasts are to be read first")
        self.works = works
        self.names = names


class Completing:
    """Completes histories, one at a time."""

    def __init__(self, store: Store, books: LoadedFiles, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._turn = asyncio.Lock()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def complete(self, names: Collection[str]) -> None:
        """Complete the histories of customers; goes on when nobody waits for it any more."""
        for name in names:
            task = self._under_way.get(name)
            if task is None:
                task = self._under_way[name] = unheard(asyncio.create_task(self._in_turn(name)))
                task.add_done_callback(lambda _, name=name: self._under_way.pop(name))  # type: ignore[misc]
            await asyncio.shield(task)

    async def stop(self) -> None:
        """Give up what is under way; what is not complete is so when it is asked again."""
        under_way = list(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _in_turn(self, name: str) -> None:
        async with self._turn:
            for _ in range(_ATTEMPTS):
                if await self._completed(name):
                    return

    async def _completed(self, name: str) -> bool:
        """Read a past, and say whether its history is complete: it may have grown meanwhile."""
        rules, names = self._books.rules, self._books.mappings.names
        before = await self._store.transact(lambda opened: self._record(opened, name))
        history = None if before is None else CustomerState(before.customer, before.history, names).past()
        if before is None or history is None or not rules.lacks(history):
            return True
        completion = rules.completion(history)
        page = await self._store.events(name, _PAGE)
        completion.take(map(names.renamed, page))
        while page.next is not None:
            page = await self._store.events(name, _PAGE, page.next)
            completion.take(map(names.renamed, page))
        return await self._store.transact(lambda opened: self._replaced(opened, before, history, completion))

    async def _record(self, transaction: Transaction, name: str) -> CustomerRecord | None:
        loaded = await transaction.load(LoadRequest(customers=[name]), self._clock())
        return loaded.customers.get(name)

    async def _replaced(
        self, transaction: Transaction, before: CustomerRecord, history: History, completion: Completion
    ) -> bool:
        name = before.customer.source_id
        now = await self._record(transaction, name)
        if now is None or now.history != before.history:
            return now is None
        completion.give(history)
        await transaction.save(_only(CustomerRecord(now.customer, history.encode()), self._clock()))
        return True


def _only(record: CustomerRecord, now: datetime) -> Changes:
    """Return a change of one customer alone."""
    return Changes(
        seen_at=now,
        answers={},
        customers=[record],
        identities={},
        moved=[],
        erased=[],
        events=[],
        discounts=[],
        counters={},
        decisions=[],
        deliveries=[],
        quarantine=[],
    )
