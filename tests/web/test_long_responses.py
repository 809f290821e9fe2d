"""Long responses: sent in chunks as they are read, and limited for all readers together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.web.admission import LARGE, MemoryBudget
from adapter.web.long_responses import BudgetedResponse

Message = dict[str, Any]


class Reader:
    """Reads so many chunks of a response, and then no more until `more` is set."""

    def __init__(self, chunks: int) -> None:
        self.taken: list[bytes] = []
        self.more = asyncio.Event()
        self._chunks = chunks

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.taken.append(message["body"])
            if len(self.taken) == self._chunks:
                await self.more.wait()


async def _sent(response: BudgetedResponse, reader: Reader) -> None:
    await response({"type": "http"}, None, reader.send)  # type: ignore[arg-type]


async def test_slow_readers_use_no_more_than_the_budget() -> None:
    budget, body = MemoryBudget(25 * LARGE), b"x" * (10 * LARGE)
    readers = [Reader(1), Reader(2)]
    tasks = [asyncio.create_task(_sent(BudgetedResponse(body, budget), reader)) for reader in readers]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        BudgetedResponse(body, budget)
    BudgetedResponse(b"x" * (LARGE - 1), budget)
    for reader in readers:
        reader.more.set()
    await asyncio.gather(*tasks)
    assert [b"".join(reader.taken) for reader in readers] == [body, body]
    assert max(len(chunk) for reader in readers for chunk in reader.taken) <= LARGE
    budget.reserve(25 * LARGE)


async def test_a_disconnected_reader_releases_everything() -> None:
    budget = MemoryBudget(10 * LARGE)
    task = asyncio.create_task(_sent(BudgetedResponse(b"x" * (10 * LARGE), budget), Reader(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    budget.reserve(10 * LARGE)
