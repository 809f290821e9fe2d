"""Work of a store whose caller is gone before it fails: its error is no news for the log."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from adapter.store.contract import Store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import LoadRequest


async def test_an_error_after_its_caller_was_cancelled_is_not_logged_as_unretrieved(
    store: Store, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()

    async def empty(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), make.now)

    async def failing(_: Transaction) -> None:
        failed.set()
        raise ValueError("a fault of its own")

    # The file's engine lets one in at a time, so that the second waits; the server's connects first.
    before = asyncio.create_task(store.transact(empty))
    await asyncio.sleep(0)
    asked = asyncio.create_task(store.transact(failing))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not failed.is_set()
    await before
    await failed.wait()
    await store.ping()
    gc.collect()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
