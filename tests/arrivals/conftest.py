"""A store with a journal: messages are added in rows, as a server writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard
from msgspec import json

from adapter.model.journal import JournalEntry, journal_row
from adapter.store.contract import Store
from adapter.store.engines import open_store

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


class Arrivals:
    """Writes messages into the journal of a store, a second apart."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._count = 0

    def entry(self, message_id: str, *names: str, **changed: Any) -> JournalEntry:
        self._count += 1
        document = {
            "type": "track",
            "event": changed.pop("event", "Order Completed"),
            "messageId": message_id,
        }
        given: dict[str, Any] = {
            "source": "segment", "key": f"{message_id}:track", "message_id": message_id,
            "received_at": NOON + timedelta(seconds=self._count), "outcome": "processed", "reason": "",
            "names": list(names) or ["ann"], "document": json.encode(document),
        }  # fmt: skip
        return JournalEntry(**(given | changed))

    async def come(self, *ids: str, **changed: Any) -> None:
        """Write messages as one row."""
        await self.write(*(self.entry(each, **changed) for each in ids))

    async def write(self, *entries: JournalEntry) -> None:
        await self.store.add_journal([journal_row(entries, zstandard.ZstdCompressor())])


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = open_store("sqlite:///:memory:")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def arrivals(store: Store) -> Arrivals:
    return Arrivals(store)
