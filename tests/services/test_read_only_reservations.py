"""Counters that a grant only reads bind it too: the second of two commits sees the first."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.store.values import Changes

RULE = """\
name: treat
trigger: started
action: {type: free_shipping}
guardrails: {cooldown: 1h}
"""


@pytest.fixture
def store_url(postgres_url: str) -> str:
    return postgres_url


class CustomerData:
    """A store whose first save waits, all else being read and decided."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.secret = store.secret
        self.decided, self.let_go = asyncio.Event(), asyncio.Event()

    async def transact(self, script: Any, _: Any = None) -> Any:
        held = self

        class Waiting:
            def __init__(self, transaction: Any) -> None:
                self._transaction = transaction

            def __getattr__(self, name: str) -> Any:
                return getattr(self._transaction, name)

            async def save(self, changes: Changes) -> None:
                held.decided.set()
                await held.let_go.wait()
                await self._transaction.save(changes)

        async def waiting(transaction: Any) -> Any:
            return await script(Waiting(transaction))

        return await self._store.transact(waiting)


def on_the_phone(desk: Any, who: str, minutes: float) -> Any:
    started = desk.event("started", who, minutes)
    event = replace(started.event, user=replace(started.event.user, device_id="phone"))
    return replace(started, event=event)


async def test_two_customers_of_one_device_either_side_of_an_hour_get_one(open_desk: Any) -> None:
    ours, theirs = await open_desk(RULE), await open_desk(RULE)
    ours.now, theirs.now = ours.at(59.5), theirs.at(60.5)
    store = ours.store
    ours.store = held = CustomerData(store)
    first = asyncio.create_task(ours.take(on_the_phone(ours, "ann", 59.5)))
    await held.decided.wait()
    second = await theirs.take(on_the_phone(theirs, "bob", 60.5))
    held.let_go.set()
    assert len((await first).discounts) + len(second.discounts) == 1
