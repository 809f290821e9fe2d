"""Calls of Segment's Tracking API.

Source of the members: segment-docs, `connections/spec/common`, and what the SDKs send.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from adapter import __version__
from adapter.destinations.events import names, properties
from adapter.model.deliveries import Delivery, Holder
from adapter.model.encoding import encode
from adapter.model.environments import DEVELOPMENT
from adapter.model.own_messages import SENDER, own_id
from adapter.model.times import iso_text

#: The most bytes of one call. Segment takes 32 KB, whether these are of 1,000 or 1,024 bytes.
MOST_BYTES: Final = 32_000
_LIBRARY: Final = {"library": {"name": SENDER, "version": __version__}}


def rendered(delivery: Delivery, *, track: bool, profile: bool) -> bytes:
    """Return the calls of a delivery as a JSON array: a track call, and an identify for the profile.

    Their ids are constant over all attempts, so that Segment drops repetitions.
    """
    event = properties.read(delivery.type, bytes(delivery.event))
    holder = Holder() if delivery.holder is msgspec.UNSET else delivery.holder
    context = _LIBRARY | ({"environment": DEVELOPMENT} if event.development else {})
    common = {
        **_identity(delivery.source_id, holder),
        "timestamp": iso_text(event.at),
        "context": context,
        "integrations": {},
    }
    found: list[dict[str, Any]] = []
    if track:
        name = names.title(event.type)
        found.append(
            {
                "type": "track",
                "event": name,
                "messageId": own_id(delivery.id),
                "properties": event.properties,
                **common,
            }
        )
    if profile:
        traits = {"active_discount_codes": holder.codes_of(development=event.development)}
        identifier = own_id(delivery.id, "profile")
        found.append({"type": "identify", "messageId": identifier, "traits": traits, **common})
    return encode(found)


def _identity(source_id: str, holder: Holder) -> dict[str, str]:
    customer = holder.customer
    if customer is None:
        return {"userId": source_id}
    return {"anonymousId" if customer.anonymous else "userId": customer.source_id}


class _Ids(msgspec.Struct, frozen=True):
    user: Any = msgspec.field(default=None, name="userId")
    anonymous: Any = msgspec.field(default=None, name="anonymousId")
    type: Any = None
    event: Any = None


_ids = msgspec.json.Decoder(_Ids).decode


def refusal(call: bytes) -> str | None:
    """Return why Segment would drop a call though it answers 200, by the code that it shows; None if not.

    Source: segment-docs, `_includes/content/delivery-overview-discards`.
    """
    if len(call) > MOST_BYTES:
        return f"{len(call):,} bytes, Segment takes {MOST_BYTES:,} bytes a call"
    found = _ids(call)
    ids = [value for value in (found.user, found.anonymous) if value is not None]
    if not any(ids):
        return "no_user_anon_id: the event has no customer"
    if not all(isinstance(value, str) for value in ids):
        return "id_not_string: the id of the customer is not text"
    if found.type == "track" and not found.event:
        return "event_not_defined: the event has no name"
    if found.type == "track" and not isinstance(found.event, str):
        return "event_not_string: the name of the event is not text"
    return None
