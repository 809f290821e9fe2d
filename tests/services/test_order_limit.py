"""Order for each customer, and the bound at which it is given up for a very busy one (case D39)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapter.destinations.contract import Attempt, Manner
from adapter.metrics import Metrics
from adapter.model.deliveries import Delivery
from adapter.services.delivery.order import EVERY, Order
from adapter.store.contract import Store
from adapter.store.engines import open_store
from adapter.store.values import DeliveryResult
from tests.services.outbox_doubles import OK, Clock, Endpoint, delivery, put, relay


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    yield store
    await store.close()


def of(customer: str, *names: str) -> list[Delivery]:
    return [replace(delivery(f"{customer}-{name}"), source_id=customer) for name in names]


async def test_a_poison_delivery_holds_back_its_customer_alone_until_it_is_dead(store: Store) -> None:
    def answer(sent: Delivery) -> Attempt:
        return Attempt(ok=False, error="answered 400", final=True) if sent.id == "c-1-issued" else OK

    endpoint = Endpoint("shop", answer)
    await put(store, [*of("c-1", "issued", "applied", "redeemed"), *of("c-2", "issued")])
    ordered = relay(store, Clock(), endpoint, manner=Manner(ordered=True))
    await ordered.run_once(2)
    assert {id_ for id_, _ in endpoint.sent} == {"c-1-issued", "c-2-issued"}
    await ordered.run_once(9)
    assert [id_ for id_, _ in endpoint.sent][2:] == ["c-1-applied", "c-1-redeemed"]


@pytest.mark.parametrize(("limit", "at_first"), [(3, 4), (4, 1), (0, 1)])
async def test_beyond_the_limit_a_customers_deliveries_need_not_wait(
    store: Store, limit: int, at_first: int, caplog: pytest.LogCaptureFixture
) -> None:
    metrics, endpoint = Metrics(), Endpoint("shop")
    await put(store, [*of("c-bot", "1", "2", "3", "4"), *of("c-2", "1", "2")])
    manner = Manner(ordered=True, order_limit=limit)
    with caplog.at_level(logging.WARNING):
        worker = relay(store, Clock(), endpoint, metrics=metrics, manner=manner)._workers["shop"]
        await worker._lease_some()
        await worker._flush()
    sent = [id_ for id_, _ in endpoint.sent]
    assert len([id_ for id_ in sent if id_.startswith("c-bot")]) == at_first
    assert [id_ for id_ in sent if id_.startswith("c-2")] == ["c-2-1"], "the others keep their order"
    given_up = metrics.registry.get_sample_value("adapter_unordered_customers", {"destination": "shop"})
    assert given_up == (1 if at_first == 4 else 0)
    assert ("order is given up for 1 customer" in caplog.text) is (at_first == 4)
    assert "c-bot" not in caplog.text, "the log names no customer"


async def test_the_order_is_kept_again_once_few_wait(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    await put(store, of("c-bot", "1", "2", "3"))
    order = Order(store, "shop", Manner(ordered=True, order_limit=2), Metrics())
    await order.count(0)
    assert list(order.wanted.given_up) == ["c-bot"]
    leased = await store.lease(Clock()(), Clock()(), 1, "shop")
    await store.settle([DeliveryResult(leased[0].id, 1, done=True)])
    await order.count(EVERY / 2)
    assert list(order.wanted.given_up) == ["c-bot"], "it is not counted at each lease"
    await order.count(EVERY)
    assert not order.wanted.given_up
    assert "kept again" in caplog.text
