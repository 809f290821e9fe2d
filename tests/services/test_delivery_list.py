"""Deliveries that a page shows of a filter are those that the store takes for the same selection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product

import pytest
from msgspec import Raw

from adapter.model.deliveries import Delivery, Selection
from adapter.services.read_timeout import ReadTimeout
from adapter.services.support import delivery_list
from adapter.services.support.delivery_list import counted, listed, takes
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, DeliveryResult, LoadRequest
from tests.services.conftest import NOON

PATIENCE = ReadTimeout(30)
ERRORS = ("it answered 503", "it answered 404", None)
SELECTIONS = [
    Selection(destination=destination, type=type_, error=error, since=since, until=until)
    for destination, type_, error, since, until in product(
        (None, "shop"), (None, "discount.issued"), (None, "404"), (None, NOON + timedelta(minutes=4)),
        (None, NOON + timedelta(minutes=9)),
    )
]  # fmt: skip


@pytest.fixture
async def store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """Twelve deliveries of two destinations and types, given up for several reasons."""
    monkeypatch.setattr(delivery_list, "PAGE", 3)
    monkeypatch.setattr(delivery_list, "_SLICE", 4)
    monkeypatch.setattr(delivery_list, "MOST", 5)
    opened = open_store(store_url)
    await opened.open()
    made = [
        Delivery(
            f"d{at}", ("shop", "crm")[at % 2], f"u{at}", ("discount.issued", "discount.redeemed")[at % 3 > 1],
            Raw(b"{}"), NOON + timedelta(minutes=at), NOON,
        )
        for at in range(12)
    ]  # fmt: skip

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOON)
        await transaction.save(Changes(NOON, {}, [], {}, [], [], [], [], {}, [], made, []))

    await opened.transact(script)
    leased = await opened.lease(NOON, NOON + timedelta(minutes=1), 12)
    results = [
        DeliveryResult(each.id, each.attempt, False, error=ERRORS[int(each.id[1:]) % 3]) for each in leased
    ]
    await opened.settle(results)
    yield opened
    await opened.close()


async def test_a_filter_takes_what_the_store_selects(store: Store) -> None:
    every = await store.deliveries("dead")
    assert len(every) == 12
    for selection in SELECTIONS:
        selected = {each.id for each in await store.deliveries("dead", selection=selection)}
        assert {each.id for each in every if takes(selection, each)} == selected


async def test_pages_of_a_filter_have_each_delivery_once_however_few_one_looks_at(store: Store) -> None:
    for selection in SELECTIONS:
        found: list[str] = []
        after: str | None = None
        while True:
            page = await listed(store, PATIENCE, "dead", selection, after=after, now=NOON)
            found += [each.id for each in page.deliveries]
            after = page.next
            if after is None:
                break
        selected = [each.id for each in await store.deliveries("dead", selection=selection)]
        assert found == selected
        assert (await counted(store, PATIENCE, "dead", selection)).count == len(selected)
