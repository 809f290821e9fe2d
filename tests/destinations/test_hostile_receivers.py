"""A receiver of each type that misbehaves in every way, and heals: all is delivered, each under one id.

To add a type: a line in `KINDS`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw, Struct
from msgspec.structs import replace

from adapter.destinations.contract import Destination
from adapter.destinations.core import CoreDestination
from adapter.destinations.transport import GuardedClient, guarded_client
from adapter.destinations.voucherify.destination import VoucherifyDestination
from adapter.destinations.webhook import WebhookDestination
from adapter.model.deliveries import Delivery, OutboxEvent
from adapter.model.encoding import encode
from adapter.model.evaluated import OPERATIONS
from adapter.model.own_messages import own_id
from adapter.services.delivery.retries import retry_all
from adapter.settings.destinations.core import Core
from adapter.settings.destinations.voucherify import Voucherify
from adapter.settings.destinations.webhook import Webhook
from adapter.settings.scalars import Secret
from adapter.store.contract import Store
from adapter.store.engines import open_store
from tests.destinations import cdp_doubles
from tests.destinations.conftest import SECRET, Answer, Received, Receiver
from tests.services.outbox_doubles import NOON, Clock, put, relay

#: A name that only the resolvers of these tests know.
HOST = "hooks.test"
COUNT = 6


class Kind(Struct, frozen=True):
    """A type: how it is built, the ids of what a request holds, and the id of a delivery on the wire.

    `delivery` makes what is sent, `healthy` the answer to the receiver's latest request.
    """

    build: Callable[[GuardedClient, str], Destination]
    ids: Callable[[Received], list[str]]
    id_of: Callable[[str], str]
    delivery: Callable[[str], Delivery] = cdp_doubles.delivery
    healthy: Callable[[Receiver], Answer] = lambda receiver: receiver.says(200)


def _webhook(client: GuardedClient, base: str) -> Destination:
    settings = Webhook(
        url=f"{base}/in", secrets=(Secret(SECRET),), allow_private_addresses=True, timeout_seconds=1
    )
    return WebhookDestination("cdp", settings, client)


def _segment(client: GuardedClient, base: str) -> Destination:
    return cdp_doubles.segment(client, host=base, timeout_seconds=1)


def _mparticle(client: GuardedClient, base: str) -> Destination:
    return cdp_doubles.mparticle(client, pod=base, timeout_seconds=1)


def _voucherify(client: GuardedClient, base: str) -> Destination:
    settings = Voucherify(url=base, application_id="app", token=Secret("secret"), timeout_seconds=1)
    return VoucherifyDestination("cdp", settings, client)


def _publications(request: Received) -> list[str]:
    """Return the id of a publication; the call before it has a code and no id."""
    return [json.loads(request.body)["source_id"]] if request.path == "/v1/publications" else []


def _core(client: GuardedClient, base: str) -> Destination:
    core = CoreDestination("cdp", Core(url=base, allow_private_addresses=True, timeout_seconds=1), client)

    async def take(_answers: Any) -> None:
        """Want nothing of the answers."""

    core.take = take
    return core


def _operation(id_: str) -> Delivery:
    said = {"id": f"segment:{id_}", "action": "customer.erase", "source_id": "c-1"}
    event = Raw(encode(OutboxEvent(OPERATIONS, NOON, said)))
    return replace(cdp_doubles.delivery(id_), type=OPERATIONS, event=event)


def _operations(request: Received) -> list[str]:
    return [each["id"] for each in json.loads(request.body)["operations"]]


def _decides(receiver: Receiver) -> Answer:
    """Answer as a core that takes all operations of a request."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        ids = _operations(receiver.requests[-1])
        results = [{"index": at, "id": id_, "outcome": "processed"} for at, id_ in enumerate(ids)]
        await receiver.says(200, body=json.dumps({"results": results}).encode())(writer)

    return answer


KINDS = {
    "webhook": Kind(_webhook, lambda request: [request.headers["webhook-id"]], lambda id_: id_),
    "segment": Kind(_segment, cdp_doubles.ids, own_id),
    "mparticle": Kind(_mparticle, cdp_doubles.ids, own_id),
    "voucherify": Kind(_voucherify, _publications, lambda id_: f"bd-{id_}"),
    "core": Kind(_core, _operations, "segment:{}".format, _operation, _decides),
}
#: What each receiver does until it heals.
FAULTS: dict[str, Callable[[Receiver], Any]] = {
    "slow success": lambda receiver: receiver.late(1.2, receiver.says(200)),
    "reset": lambda receiver: receiver.resets,
    "redirect": lambda receiver: receiver.says(307, {"Location": f"http://127.0.0.1:{receiver.port}/on"}),
    "410": lambda receiver: receiver.says(410),
    "413": lambda receiver: receiver.says(413),
    "429 in seconds": lambda receiver: receiver.says(429, {"Retry-After": "120"}),
    "429 with a date": lambda receiver: receiver.says(
        429, {"Retry-After": format_datetime(NOON + timedelta(minutes=2), usegmt=True)}
    ),
    "500": lambda receiver: receiver.says(500, body=b"oh no"),
    "endless body": lambda receiver: receiver.floods(500),
}


class Wire:
    """What a receiver saw, and what of it a healthy one accepted."""

    def __init__(self, receiver: Receiver, kind: Kind) -> None:
        self._receiver = receiver
        self._kind = kind
        self.healthy_from = 0

    def heal(self) -> None:
        """Answer 200 from now on."""
        self.healthy_from = len(self._receiver.requests)
        self._receiver.answer = self._kind.healthy(self._receiver)

    def ids(self, since: int = 0) -> list[str]:
        """Return the ids of all requests from one on."""
        return [id_ for request in self._receiver.requests[since:] for id_ in self._kind.ids(request)]


@pytest.fixture
async def store(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    callspec = getattr(request.node, "callspec", None)
    kind = KINDS["webhook" if callspec is None else callspec.params["name"]]
    store = open_store(f"sqlite:///{tmp_path / 'relay.db'}")
    await store.open()
    due = [replace(kind.delivery(f"msg_{number:032x}"), attempt=0) for number in range(COUNT)]
    await put(store, due)
    yield store
    await store.close()


def expected(kind: Kind) -> set[str]:
    """Return the ids under which all deliveries must arrive."""
    return {kind.id_of(f"msg_{number:032x}") for number in range(COUNT)}


async def survives(store: Store, destination: Destination, wire: Wire, kind: Kind) -> None:
    """Send while the receiver misbehaves, let it heal, and expect that nothing is lost or renamed."""
    clock = Clock()
    for _ in range(2):
        await relay(store, clock, destination).run_once(100)
        clock.now += timedelta(minutes=2)
    wire.heal()
    await retry_all(store, clock())
    await relay(store, clock, destination).run_once(100)
    assert set(wire.ids()) == expected(kind), "each has one id"
    assert len(await store.deliveries("done")) == COUNT
    assert [*await store.deliveries("due"), *await store.deliveries("dead")] == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", KINDS)
async def test_what_a_receiver_missed_is_delivered_once_it_heals(
    store: Store, receiver: Receiver, client: GuardedClient, name: str, fault: str
) -> None:
    kind = KINDS[name]
    receiver.answer = FAULTS[fault](receiver)
    wire = Wire(receiver, kind)
    destination = kind.build(client, f"http://127.0.0.1:{receiver.port}")
    await survives(store, destination, wire, kind)
    assert set(wire.ids(wire.healthy_from)) == expected(kind)


@pytest.mark.parametrize("name", KINDS)
async def test_a_name_that_turns_bad_is_not_reached_until_it_turns_good_again(
    store: Store, receiver: Receiver, name: str
) -> None:
    kind, good = KINDS[name], False

    async def resolver(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if good else ["169.254.169.254"]

    wire = Wire(receiver, kind)
    async with guarded_client(allow_private=True, allow_http=True, resolver=resolver) as client:
        destination = kind.build(client, f"http://{HOST}:{receiver.port}")
        heal = wire.heal

        def turn_good() -> None:
            nonlocal good
            assert receiver.connections == 0
            good = True
            heal()

        wire.heal = turn_good  # type: ignore[method-assign]
        await survives(store, destination, wire, kind)


@pytest.mark.parametrize("name", KINDS)
async def test_a_certificate_that_is_not_trusted_gets_nothing_until_it_is_renewed(
    store: Store, secure: tuple[Receiver, ssl.SSLContext], name: str
) -> None:
    receiver, trusting = secure
    kind, clock = KINDS[name], Clock()
    wire = Wire(receiver, kind)
    base = f"https://{HOST}:{receiver.port}"

    async def resolver(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with guarded_client(allow_private=True, resolver=resolver) as client:
        await relay(store, clock, kind.build(client, base)).run_once(100)
    assert receiver.requests == []
    waiting = await store.deliveries("due")
    assert all("CERTIFICATE_VERIFY_FAILED" in str(each.last_error) for each in waiting)
    await retry_all(store, clock())
    receiver.answer = kind.healthy(receiver)
    async with guarded_client(allow_private=True, resolver=resolver, verify=trusting) as client:
        await relay(store, clock, kind.build(client, base)).run_once(100)
    assert len(await store.deliveries("done")) == COUNT
    assert len(set(wire.ids())) == COUNT


async def test_that_check_fails_for_a_destination_that_takes_a_redirect_for_success(
    store: Store, receiver: Receiver, client: GuardedClient
) -> None:
    kind = KINDS["webhook"]
    destination = kind.build(client, f"http://127.0.0.1:{receiver.port}")
    send = destination.send

    async def careless(deliveries: Any, now: datetime) -> Any:
        return [replace(attempt, ok=attempt.status == 307) for attempt in await send(deliveries, now)]

    destination.send = careless  # type: ignore[method-assign]
    receiver.answer = FAULTS["redirect"](receiver)
    wire = Wire(receiver, kind)
    await survives(store, destination, wire, kind)
    assert wire.ids(wire.healthy_from) == []
