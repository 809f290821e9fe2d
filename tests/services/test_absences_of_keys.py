"""Absences of each product: one that is bought again ends its own wait alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.model.operations import CustomerErase, CustomerMerge
from adapter.rules.engine.absence_keys import MOST_KEYS, SLOTS, keyed
from tests.services.conftest import Desk

RULES = """
rules:
  - name: again
    trigger: {event: order_completed, unless: order_completed, within: 28d, per: items.sku}
    conditions: ['item.kind != "gift"']
    action: {type: percentage_off, value: 10, max_amount: 5}
    guardrails: {stackable: true}
"""
DAY = 24 * 60


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    return await open_desk(RULES)


def order(desk: Any, *skus: str, day: int = 0, who: str = "ann") -> Any:
    items = [{"sku": sku, "kind": "gift" if sku.startswith("g") else "tea"} for sku in skus]
    return desk.event("order_completed", who, minutes=day * DAY, items=items)


async def due(desk: Any, day: int, who: str = "ann") -> list[str]:
    """Return for which products a discount is issued on a day."""
    desk.now = desk.at() + timedelta(days=day)
    timers = await desk.store.due_timers(desk.now, 100)
    results = await desk.settle([desk.due(timer) for timer in timers])
    pairs = zip(timers, results, strict=True)
    return sorted(timer.event.attributes["key"] for timer, result in pairs if result.discounts)


async def test_each_product_waits_for_itself(desk: Any) -> None:
    await desk.take(order(desk, "a", "b", "g"))
    await desk.take(order(desk, "b", "c", day=10))
    assert await due(desk, 27) == []
    assert await due(desk, 28) == ["a"]
    assert await due(desk, 37) == []
    assert await due(desk, 38) == ["b", "c"]
    assert await due(desk, 99) == []


async def test_an_order_in_the_same_batch_ends_the_wait_of_its_products(desk: Any) -> None:
    await desk.take(order(desk, "a", "b"))
    desk.now = desk.at() + timedelta(days=28)
    timers = await desk.store.due_timers(desk.now, 9)
    again = desk.work(order(desk, "b", day=28))
    results = await desk.settle([*(desk.due(timer) for timer in timers), again])
    assert [len(result.discounts) for result in results].count(1) == 1


async def test_an_order_that_arrives_late_starts_no_wait(desk: Any) -> None:
    await desk.take(order(desk, "b", day=5))
    await desk.take(order(desk, "a", day=1))
    assert await due(desk, 40) == ["b"]


async def test_waits_follow_a_merge_and_go_with_an_erasure(desk: Any) -> None:
    await desk.take(order(desk, "a"))
    await desk.take(order(desk, "b", who="bea"))
    await desk.take(CustomerMerge("bea", "ann"))
    assert await due(desk, 28) == ["a", "b"]
    await desk.take(order(desk, "a", day=28, who="bea"))
    await desk.take(CustomerErase("bea"))
    assert await due(desk, 99) == []


@pytest.fixture
def bare() -> Any:
    """What makes events without a store."""
    return Desk(None, None, None)  # type: ignore[arg-type]


def test_keys_are_bounded(bare: Any) -> None:
    many = order(bare, *(f"s{number}" for number in range(99))).event
    assert len(keyed(many, "items.sku")) <= MOST_KEYS
    slots = {slot for n in range(SLOTS * 4) for slot in keyed(order(bare, f"s{n}").event, "items.sku")}
    assert len(slots) <= SLOTS


@pytest.mark.parametrize(
    ("attributes", "path", "keys"),
    [
        ({"sku": "a"}, "sku", ["a"]),
        ({"sku": 7}, "sku", [7]),
        ({"skus": ["a", "b", "a"]}, "skus", ["a", "b"]),
        ({"items": [{"sku": "a"}, {"sku": None}, {"other": 1}, "x"]}, "items.sku", ["a"]),
        ({"items": []}, "items.sku", []),
        ({}, "items.sku", []),
        ({"sku": {"id": "a"}}, "sku.id", ["a"]),
    ],
)
def test_keys_are_read_through_lists(bare: Any, attributes: Any, path: str, keys: list[Any]) -> None:
    found = keyed(bare.event("order_completed", **attributes).event, path)
    assert [each.attributes["key"] for each in found.values()] == keys
