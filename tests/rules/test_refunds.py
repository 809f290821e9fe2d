"""The formulas of docs/rules.md for refunds, over what the starters make of orders refunded in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping import mapping_set
from adapter.mapping.mapping_set import MappingSet
from adapter.model.operations import EventOccurred
from adapter.rules.expressions import EvaluationContext, Names, compile, parse, reads  # noqa: A004
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.requirements import Metrics
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
UNTOUCHED = 'history.distinct("order_completed", "order_id") - history.distinct("order_refunded", "order_id")'
KEPT = 'history.sum("order_completed", "total") - history.sum("order_refunded", "total")'
#: What happened (order, total), the orders of which nothing was taken back, and the money that was kept.
CASES: dict[str, tuple[list[tuple[str, str, float]], int, float]] = {
    "no refund": ([("Order Completed", "A-1", 100)], 1, 100),
    "in two parts": (
        [("Order Completed", "A-1", 100), ("Order Completed", "A-2", 80),
         ("Order Refunded", "A-2", 25), ("Order Refunded", "A-2", 35)], 1, 120),
    "in three parts, the whole": (
        [("Order Completed", "A-1", 90), *[("Order Refunded", "A-1", 30)] * 3], 0, 0),
    "each order in parts": (
        [("Order Completed", "A-1", 10), ("Order Completed", "A-2", 20), ("Order Refunded", "A-1", 4),
         ("Order Refunded", "A-2", 5), ("Order Refunded", "A-1", 6), ("Order Refunded", "A-2", 7)], 0, 8),
}  # fmt: skip


@pytest.fixture(scope="module")
def starter() -> MappingSet:
    loaded, _ = mapping_set.load(ROOT / "mappings")
    assert loaded is not None
    return loaded


def of_segment(number: int, event: str, order: str, total: float, at: datetime) -> Any:
    products = [{"sku": "TEE", "quantity": 1, "price": total}]
    properties = {"order_id": order, "total": total, "currency": "USD", "products": products}
    call: dict[str, Any] = {"type": "track", "messageId": f"m{number}", "userId": "u", "event": event}
    call |= {"timestamp": at.isoformat(), "properties": properties}
    [message] = webhook.decode(json.dumps(call).encode(), NOW).messages
    return message


def of_mparticle(number: int, event: str, order: str, total: float, at: datetime) -> Any:
    action = {"action": "purchase" if event == "Order Completed" else "refund", "transaction_id": order,
              "total_amount": total, "products": [{"id": "TEE", "quantity": 1, "price": total}]}  # fmt: skip
    data = {"product_action": action, "currency_code": "USD", "event_id": number,
            "timestamp_unixtime_ms": int(at.timestamp() * 1000)}  # fmt: skip
    batch = {"mpid": 5, "events": [{"event_type": "commerce_event", "data": data}]}
    [message] = batches.decode(json.dumps(batch).encode(), NOW).messages
    return message


def events(
    starter: MappingSet, source: str, happened: list[tuple[str, str, float]]
) -> Iterator[EventOccurred]:
    make = of_segment if source == "segment" else of_mparticle
    for number, (event, order, total) in enumerate(happened):
        at = NOW - timedelta(days=9) + timedelta(hours=number)
        done = starter.mapped(make(number, event, order, total, at))
        yield from (one for one in done if isinstance(one, EventOccurred))


@pytest.mark.parametrize("source", ["segment", "mparticle"])
@pytest.mark.parametrize("name", CASES)
def test_the_formulas_hold_for_orders_refunded_in_parts(source: str, name: str, starter: MappingSet) -> None:
    happened, untouched, kept = CASES[name]
    node = parse(f"{UNTOUCHED} == {untouched} && {KEPT} == {kept}", Names())
    metrics, history = Metrics(reads(node).metrics), History()
    for one in events(starter, source, happened):
        fold(history, one.event, metrics)
    assert compile(node)(
        EvaluationContext({}, {}, {}, "x", NOW, NOW, lambda metric: lookup(history, metric, NOW))
    )


def test_these_are_the_formulas_of_the_page() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert f"`{UNTOUCHED} == " in page
    assert f"`{KEPT} == " in page
    assert 'history.count("order_refunded") ==' not in page, "it counts the parts"
