"""Importing the files of the cases, and what is asked of the store then."""

from __future__ import annotations

from typing import Any

import msgspec

from adapter.rules.history.history import History
from adapter.sources.registry import SOURCES
from tests.bulk.conftest import Ended, Shop
from tests.bulk.test_cases import CASES, content

ORDER = "id,name,user,occurred_at\n"


async def live(shop: Shop, line: str) -> None:
    """Receive a call of Segment as a server does."""
    await shop.app.ingest.receive(SOURCES["segment"].decode_recorded(line.encode(), shop.now))


def order(message_id: str, at: str = "2024-03-02T10:00:00Z") -> str:
    """Return an order of c-1 as Segment sends it."""
    call = {"type": "track", "event": "Order Completed", "userId": "c-1", "messageId": message_id}
    return msgspec.json.encode({**call, "timestamp": at, "properties": {"total": 20}}).decode()


async def run(shop: Shop, name: str, **options: Any) -> Ended:
    """Import the file of a case."""
    case = CASES[name]
    return await shop.imports(case["input"]["command"].split()[1], content(case), **options)


async def history(shop: Shop, source_id: str) -> History:
    """Return the folded past of a customer."""
    return History.decode((await shop.store.held(source_id)).history)


def reasons(ended: Ended) -> str:
    """Return all reasons of refused rows."""
    return "\n".join(row.reason for row in ended.refused)
