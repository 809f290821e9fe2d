"""Completion of long histories for new rules, outside of the transactions that decide.

When a new rule reads an aggregate that no rule has read before, the stored events of each customer are read
again at the customer's next event. Few events are read in that transaction. Many would delay all messages of
the batch; so the message is deferred, the events are read page by page, and the history is replaced in a
transaction of its own, provided that no event was added meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

from adapter.rules.history.history import History
from adapter.rules.history.reading_again import Completion
from adapter.services.ingest.identities import CustomerState
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest
from adapter.tasks import unheard

#: The maximum of stored events that one transaction reads: their bytes, and ROW for each.
BUDGET = 1_000_000
ROW = 500
#: Events that are read at a time.
_PAGE = 500
#: Attempts to complete a history; after these the message completes it in its own transaction.
_ATTEMPTS = 3


class Unprepared(Exception):
    """Works need histories too long for their transaction; those of `names` must be completed first."""

    def __init__(self, works: Collection[Work], names: Collection[str]) -> None:
        super().__init__("long histories must be completed first")
        self.works = works
        self.names = names


class HistoryCompleter:
    """Completes histories, one at a time."""

    def __init__(self, store: Store, books: LoadedFiles, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._lock = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}

    async def complete(self, names: Collection[str]) -> None:
        """Complete the histories of customers; continues when the caller is cancelled."""
        for name in names:
            task = self._running.get(name)
            if task is None:
                task = self._running[name] = unheard(asyncio.create_task(self._serially(name)))
                task.add_done_callback(lambda _, name=name: self._running.pop(name))  # type: ignore[misc]
            await asyncio.shield(task)

    async def stop(self) -> None:
        """Cancel running completions; an incomplete history is completed at its next use."""
        under_way = list(self._running.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _serially(self, name: str) -> None:
        async with self._lock:
            for _ in range(_ATTEMPTS):
                if await self._completed(name):
                    return

    async def _completed(self, name: str) -> bool:
        """Read stored events; return whether the history is complete: it may have grown meanwhile."""
        rules, names = self._books.rules, self._books.mappings.names
        before = await self._store.transact(lambda opened: self._record(opened, name))
        history = (
            None
            if before is None
            else CustomerState(before.customer, before.history, names).decoded_history()
        )
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
        record = CustomerRecord(now.customer, history.encode())
        await transaction.save(Changes(self._clock(), customers=[record]))
        return True
