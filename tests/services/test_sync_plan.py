"""`adapter sync plan`: the calls of a month at several intervals, from recorded traffic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.actions import FreeShipping
from adapter.model.customers import Customer
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.events import Event, User
from adapter.services.sync_plan import INTERVALS, Planned, plan, recorded, sends
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.transaction_contract import Transaction
from adapter.store.values import Changes, CustomerRecord, LoadRequest, NewEvent

NOW = datetime(2026, 3, 31, tzinfo=UTC)
MONTH = NOW - timedelta(days=30)


def planned(**given: Any) -> Planned:
    usual = {"name": "vf", "type": "voucherify", "forward": ("customers", "events"), "interval": "0"}
    return Planned(**{**usual, "calls_issued": 2, "calls_ended": 2, **given})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'adapter.db'}")
    await store.open()
    yield store
    await store.close()


async def fill(store: Store) -> None:
    """A customer with five events a day, another with facts alone, and a redeemed discount."""
    moments = [MONTH + timedelta(days=day, minutes=2 * nth) for day in range(30) for nth in range(5)]
    events = [Event(f"e{n}", "seen", at, User("ann"), {}, {}) for n, at in enumerate(moments)]
    old = Event("old", "seen", MONTH - timedelta(days=9), User("ann"), {}, {})
    told = {"traits.plan": int((NOW - timedelta(days=1)).timestamp() * 1000)}
    customers = [CustomerRecord(Customer("ann")), CustomerRecord(Customer("bob", told_at=told))]
    discount = Discount("A", FreeShipping(), None, {}, False, "redeemed")
    held = DiscountRecord(discount, "ann", "r", "e1", NOW, NOW)

    async def script(transaction: Transaction) -> None:
        await transaction.load(LoadRequest(), NOW)
        new = [NewEvent("ann", "segment", event, event.id) for event in [old, *events]]
        await transaction.save(Changes(NOW, {}, customers, {}, [], [], new, [held], {}, [], [], []))

    await store.transact(script)


async def test_the_calls_of_a_month_fall_with_the_interval(store: Store) -> None:
    await fill(store)
    found = plan(await recorded(store, MONTH, NOW), planned(per_month=250, per_minute=10), NOW)
    calls = {row.interval: (row.customers, row.events, row.discounts) for row in found.rows}
    assert calls == {
        "0": (151, 150, 4), "1m": (151, 150, 4), "15m": (31, 150, 4), "1h": (31, 150, 4), "1d": (31, 150, 4),
    }  # fmt: skip
    assert [row.fits for row in found.rows] == [False, False, True, True, True]
    assert found.recommended == "15m"
    assert found.rows[0].busiest_minute == 3
    customers = plan(await recorded(store, MONTH, NOW), planned(per_month=5, forward=("customers",)), NOW)
    assert customers.recommended is None
    assert customers.rows[0].events == 0


async def test_short_traffic_is_scaled_to_a_month_and_none_recommends_nothing(store: Store) -> None:
    empty = plan(await recorded(store, MONTH, NOW), planned(per_month=5), NOW)
    assert "nothing can be recommended" in empty.advice
    await fill(store)
    week = plan(await recorded(store, NOW - timedelta(days=6), NOW), planned(), NOW)
    assert week.rows[0].events == 150
    assert "per_month" in week.advice


@given(st.lists(st.integers(0, 5000), max_size=40), st.sampled_from(sorted(INTERVALS)))
def test_every_change_is_sent_within_the_interval_and_sends_are_an_interval_apart(
    moments: list[int], name: str
) -> None:
    interval = INTERVALS[name].total_seconds()
    found = sends(map(float, moments), INTERVALS[name])
    for moment in moments:
        assert any(moment <= sent <= moment + interval for sent in found)
    assert all(later - sent >= interval for sent, later in pairwise(found))
