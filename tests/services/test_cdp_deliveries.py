"""Deliveries to Segment and mParticle through the relay: whatever the receiver does, the same ids arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import chain

import pytest
from msgspec import Raw
from msgspec.structs import replace

from adapter.destinations.contract import Destination
from adapter.destinations.registry import configured
from adapter.destinations.transport import GuardedClient, guarded_client
from adapter.metrics import Metrics
from adapter.model.encoding import encode
from adapter.model.erasures import CUSTOMER_ERASED, CustomerErased, ErasedCustomer
from adapter.services.delivery.erasures import forward
from adapter.services.delivery.retries import retry_all
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.segment import Segment
from adapter.settings.scalars import Secret
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.destinations.cdp_doubles import by_request, delivery, ids, mparticle, segment
from tests.destinations.conftest import Receiver
from tests.services.outbox_doubles import NOON, Clock, put, relay

Make = Callable[..., Destination]
TYPES = pytest.mark.parametrize("make", [segment, mparticle], ids=["segment", "mparticle"])


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
    await receiver.close(server)


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    async with guarded_client(allow_private=True, allow_http=True) as client:
        yield client


NAMES = [f"bd-d-{n}" for n in range(5)]


async def saved(store: Store) -> None:
    await put(store, [delivery(f"d-{n}") for n in range(5)])


def arrived(receiver: Receiver) -> Counter[str]:
    return Counter(chain.from_iterable(map(ids, receiver.requests)))


@TYPES
async def test_a_refused_key_pauses_and_costs_no_attempt(
    make: Make, store: Store, receiver: Receiver, client: GuardedClient
) -> None:
    await saved(store)
    clock, metrics = Clock(), Metrics()
    sender = relay(store, clock, make(client, receiver), metrics=metrics)
    by_request(receiver, lambda _: 403)
    await sender.run_once(99)
    assert len(receiver.requests) == 1
    [pause] = await store.pauses(clock.now)
    assert (pause.until - NOON, "refused the" in pause.reason) == (timedelta(hours=1), True)
    waiting = await store.deliveries("due")
    assert [(each.tries, each.status) for each in waiting] == [(0, "due")] * 5
    receiver.answer = receiver.says(200)
    await retry_all(store, clock.now, "cdp")
    clock.now += timedelta(hours=1)
    assert await sender.run_once(99) == 5
    assert arrived(receiver) == Counter(dict.fromkeys(NAMES, 2))


@TYPES
async def test_a_429_pauses_all_batches_and_costs_no_attempt(
    make: Make, store: Store, receiver: Receiver, client: GuardedClient
) -> None:
    await saved(store)
    clock = Clock()
    sender = relay(store, clock, make(client, receiver))
    by_request(receiver, lambda _: (429, {"Retry-After": "7"}))
    await sender.run_once(99)
    receiver.answer = receiver.says(200)
    clock.now += timedelta(seconds=6)
    assert await sender.run_once(99) == 0
    clock.now += timedelta(seconds=1)
    assert await sender.run_once(99) == 5
    assert [each.tries for each in await store.deliveries("done")] == [1] * 5
    assert [len(ids(request)) for request in receiver.requests] == [5, 5]


@TYPES
async def test_the_faulty_delivery_of_a_batch_is_dead_and_the_others_arrive(
    make: Make, store: Store, receiver: Receiver, client: GuardedClient
) -> None:
    await saved(store)
    by_request(receiver, lambda request: 413 if b"bd-d-3" in request.body else 200)
    await relay(store, Clock(), make(client, receiver)).run_once(99)
    [dead] = await store.deliveries("dead")
    assert (dead.id, len(await store.deliveries("done"))) == ("d-3", 4)
    assert (dead.last_error or "").startswith("answered 413")


def test_a_destination_with_profiles_keeps_the_order_of_a_customer() -> None:
    key = Secret("write-key-1")
    named = {
        "plain": Segment(region="us", write_key=key),
        "profiles": Segment(region="us", write_key=key, profile=True, events=("redemption.created",)),
        "attributes": MParticle(pod="us1", key=key, secret=key, profile=True),
        "tests": MParticle(pod="us1", key=key, secret=key, development=True),
    }
    found = configured(Destinations(named=named))
    ordered = {name for name, manner in found.manners.items() if manner.ordered}
    assert ordered == {"profiles", "attributes"}
    assert found.recipients.of("discount.expired") == list(named)
    assert found.recipients.of("redemption.held") == ["plain", "attributes", "tests"]
    assert set(found.recipients.development) == {"tests"}
    assert set(found.recipients.of_customers) == set(named)


@TYPES
async def test_an_erasure_is_told_and_its_receipt_names_no_customer(make: Make) -> None:
    erased = CustomerErased(CUSTOMER_ERASED, NOON, ErasedCustomer("c-1", {"email": "a@example.com"}))
    found = replace(delivery(), type=CUSTOMER_ERASED, event=Raw(encode(erased)))
    attempt = await forward(make(), found, NOON)
    assert attempt.ok
    assert "delet" in (attempt.error or "") or "erasure" in (attempt.error or "")
    assert "c-1" not in (attempt.error or "")
