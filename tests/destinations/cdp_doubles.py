"""Deliveries and destinations of the two customer data platforms, over a receiver on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from adapter.destinations.contract import Destination
from adapter.destinations.mparticle.destination import MParticleDestination
from adapter.destinations.segment.destination import SegmentDestination
from adapter.destinations.transport import HttpClient, guarded_client
from adapter.model.actions import Action, AmountOff
from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery, Holder, OutboxEvent, Rendered
from adapter.model.discounts import Discount
from adapter.model.encoding import encode
from adapter.settings.destinations.mparticle import MParticle
from adapter.settings.destinations.segment import Segment
from adapter.settings.scalars import Secret
from tests.destinations.conftest import Answer, Received, Receiver

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "write-key-1"
KNOWN = Customer("c-1", identities={"email": "a@example.com"})
FIFTEEN = AmountOff(value=Decimal("15.00"), currency="EUR")


def discount(action: Action = FIFTEEN, code: str = "SAVE-1", **metadata: Any) -> Discount:
    about = {"rule": "big-cart", "issued_for_event_id": "e-1", "user_id": "c-1", **metadata}
    return Discount(code, action, None, about, stackable=False, status="issued")


def delivery(
    id_: str = "d-9",
    data: Any = None,
    customer: Customer | None = KNOWN,
    codes: tuple[str, ...] = (),
    kind: str = "discount.issued",
    **members: Any,
) -> Delivery:
    about = discount() if data is None else data
    event = Raw(encode(OutboxEvent(kind, members.pop("at", NOON), about, **members)))
    owner = customer.source_id if customer else "c-1"
    holder = Holder(customer, codes)
    return Delivery(id_, "cdp", owner, kind, event, NOON, due_at=NOON, attempt=1, holder=holder)


def leased(destination: Destination, found: Delivery) -> Delivery:
    """Return a delivery as a worker has it: rendered once, its customer forgotten."""
    rendered = Rendered(destination.type, destination.render(found))
    return replace(found, rendered=rendered, holder=msgspec.UNSET)


def rendered(destination: Destination, found: Delivery) -> Any:
    return msgspec.json.decode(leased(destination, found).body)


def raw(id_: str, body: Any) -> Delivery:
    """Return a delivery with a body that no render makes."""
    return replace(delivery(id_), rendered=Rendered("any", Raw(msgspec.json.encode(body))))


def segment(
    client: HttpClient | None = None, receiver: Receiver | None = None, **settings: Any
) -> SegmentDestination:
    base = f"http://127.0.0.1:{receiver.port}" if receiver else ""
    given = {"region": "eu", "write_key": Secret(KEY), "host": base, "timeout_seconds": 5, **settings}
    """Return the destination; without a client it can only render."""
    return SegmentDestination("cdp", Segment(**given), client or guarded_client(), cdn=base)


def mparticle(
    client: HttpClient | None = None, receiver: Receiver | None = None, **settings: Any
) -> MParticleDestination:
    base = f"http://127.0.0.1:{receiver.port}" if receiver else "eu1"
    given = {"pod": base, "key": Secret("k"), "secret": Secret("s"), "timeout_seconds": 5, **settings}
    return MParticleDestination("cdp", MParticle(**given), client or guarded_client())


def by_request(receiver: Receiver, decide: Callable[[Received], int | tuple[int, Mapping[str, str]]]) -> None:
    """Let the receiver answer each request with the status, or status and headers, that `decide` returns."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        decided = decide(receiver.requests[-1])
        status, headers = decided if isinstance(decided, tuple) else (decided, {})
        says: Answer = receiver.says(status, headers)
        await says(writer)

    receiver.answer = answer


def ids(request: Received) -> list[str]:
    """Return the ids of what a request holds."""
    body = msgspec.json.decode(request.body)
    if isinstance(body, dict):
        return [call["messageId"] for call in body["batch"]]
    return [event["data"]["source_message_id"] for batch in body for event in batch["events"]]
