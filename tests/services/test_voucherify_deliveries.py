"""Deliveries to Voucherify through the relay: whatever the receiver does, each code arrives under one id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from adapter.destinations.transport import GuardedClient, guarded_client
from adapter.destinations.voucherify.api import Api
from adapter.destinations.voucherify.destination import VoucherifyDestination
from adapter.destinations.voucherify.rendering import Rendering
from adapter.model.actions import PercentageOff
from adapter.model.deliveries import Delivery
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.destinations.conftest import Receiver
from tests.destinations.test_hostile_receivers import FAULTS
from tests.services.outbox_doubles import NOON, Clock, put, relay

#: A timeout of five seconds is longer than the slow success, and what is too large is never accepted.
HOSTILE = {name: fault for name, fault in FAULTS.items() if name not in ("slow success", "413")}


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = open_store("sqlite:///:memory:")
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    yield receiver
    server.close()


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    async with guarded_client(allow_private=True, allow_http=True) as client:
        yield client


def issued(n: int) -> Delivery:
    told = {"rule": "r", "issued_for_event_id": f"e-{n}", "user_id": f"u-{n}"}
    discount = Discount(f"C-{n}", PercentageOff(Decimal(10)), None, told, False, "issued")
    body = Raw(encode({"type": "discount.issued", "timestamp": NOON, "data": discount}))
    return Delivery(f"d-{n}", "vf", f"u-{n}", "discount.issued", body, NOON, NOON)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_all_codes_are_published_under_their_ids_once_everything_heals(
    hostile: Callable[[Receiver], Any], store: Store, receiver: Receiver, client: GuardedClient
) -> None:
    await put(store, [issued(n) for n in range(3)])
    api = Api(client, receiver.url.removesuffix("/hook"), "app", "secret")
    to, clock = VoucherifyDestination("vf", api, Rendering(), timedelta(seconds=5)), Clock()
    sender = relay(store, clock, to)
    receiver.answer = hostile(receiver)
    await sender.run_once(99)
    assert await store.deliveries("done") == []
    receiver.answer, before = receiver.says(200), len(receiver.requests)
    clock.now += timedelta(hours=2)
    assert await sender.run_once(99) == 3
    published = [
        json.loads(each.body) for each in receiver.requests[before:] if each.path == "/v1/publications"
    ]
    assert sorted(each["source_id"] for each in published) == [f"bd-d-{n}" for n in range(3)]
    created = {each.path: each.body for each in receiver.requests if "/vouchers/" in each.path}
    assert all(each.body == created[each.path] for each in receiver.requests if each.path in created)
