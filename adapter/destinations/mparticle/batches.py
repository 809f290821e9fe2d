"""Batches of mParticle's Events API: one of one customer for each delivery.

Source of the members: mParticle/docs, `developers/server/http` and `developers/server/json-reference`. Only
documented members are sent, because the published schema is closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from adapter.destinations.events import names, properties
from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery, Holder
from adapter.model.encoding import encode
from adapter.model.own_messages import SENDER, SENDER_ATTRIBUTE, own_id

#: The most bytes of a batch: 128 KB.
MOST_BYTES: Final = 128_000
#: The most attributes of an event, and their longest name and value in characters.
MOST_ATTRIBUTES, LONGEST_NAME, LONGEST_VALUE = 100, 256, 4_096
#: Older events belong to a path of their own, which forwards nothing.
OLDEST_DAYS: Final = 30
_INT64 = re.compile(r"-?[0-9]{1,19}")


def rendered(delivery: Delivery, identity_types: Mapping[str, str], *, track: bool, profile: bool) -> bytes:
    """Return the batch of a delivery; its ids are constant over all attempts, and no two batches share one.

    `identity_types` has mParticle's name of further kinds of identities. With `track` the batch has the
    event, with `profile` it sets the user attribute `active_discount_codes`.
    """
    event = properties.read(delivery.type, bytes(delivery.event))
    holder = Holder() if delivery.holder is msgspec.UNSET else delivery.holder
    identifier = own_id(delivery.id)
    batch: dict[str, Any] = {
        "environment": "development" if event.development else "production",
        "source_request_id": identifier,
        "user_identities": dict(_identities(delivery.source_id, holder.customer, identity_types)),
    }
    mpid = _mpid(holder.customer)
    if mpid is not None:
        batch["mpid"] = mpid
    if profile:
        batch["user_attributes"] = {"active_discount_codes": holder.codes_of(development=event.development)}
    if not track:
        return encode(batch)
    data = {
        "event_name": names.snake(event.type),
        "custom_event_type": "transaction",
        "source_message_id": identifier,
        "timestamp_unixtime_ms": _milliseconds(event.at),
        "custom_attributes": dict(_attributes(event.properties)),
    }
    return encode({**batch, "events": [{"event_type": "custom_event", "data": data}]})


def _identities(
    source_id: str, customer: Customer | None, identity_types: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if customer is None:
        yield "customer_id", source_id
        return
    if not customer.anonymous:
        yield "customer_id", customer.source_id
    email = customer.identities.get("email") or customer.email
    if email:
        yield "email", email
    for kind, name in identity_types.items():
        if value := customer.identities.get(kind):
            yield name, value


def _mpid(customer: Customer | None) -> int | None:
    """Return mParticle's own id of the customer, an exact integer of 64 bits, where it is known."""
    text = customer.identities.get("mpid") if customer is not None else None
    if text is None or not _INT64.fullmatch(text):
        return None
    return int(text)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _attributes(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield custom attributes, which are text; what mParticle would cut or refuse is left out."""
    yield SENDER_ATTRIBUTE, SENDER
    room = MOST_ATTRIBUTES - 1
    for name, value in found.items():
        text = _text(value)
        if name != SENDER_ATTRIBUTE and len(name) <= LONGEST_NAME and len(text) <= LONGEST_VALUE and room:
            room -= 1
            yield name, text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else encode(value).decode()


class _Data(msgspec.Struct, frozen=True):
    event_name: str = ""


class _Event(msgspec.Struct, frozen=True):
    event_type: str = ""
    data: _Data = _Data()


class _Batch(msgspec.Struct, frozen=True):
    environment: str = ""
    user_identities: dict[str, Any] = {}
    mpid: int | None = None
    events: list[_Event] = []


_batch = msgspec.json.Decoder(_Batch).decode


def refusal(delivery: Delivery, now: datetime) -> str | None:
    """Return why mParticle would drop a batch though it answers 202, None where it would not."""
    body = delivery.body
    if len(body) > MOST_BYTES:
        return f"{len(body):,} bytes, mParticle takes {MOST_BYTES:,} bytes a batch"
    if (now - delivery.created_at).days >= OLDEST_DAYS:
        return f"the event is older than {OLDEST_DAYS} days: mParticle forwards none so old"
    found = _batch(body)
    if not found.user_identities and found.mpid is None:
        return "the customer has no identity that mParticle knows: see `identities`"
    if found.environment not in ("development", "production"):
        return "the batch has no `environment`"
    if not all(event.event_type and event.data.event_name for event in found.events):
        return "an event has no `event_type` or no `event_name`"
    return None
