"""Messages that we pushed come back by a CDP: they are recognised, and nobody else's are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from adapter.model.own_messages import LONGEST, is_own_id, own_id
from adapter.sources.decoded_body import Bounds
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = own_id("msg_" + "0123456789abcdef" * 2)
MARK = {"library": {"name": "behaviour-discounts", "version": "1"}}
CALL = {"type": "track", "event": "Discount Issued", "userId": "u"}

OWN = {
    "id and mark": {"messageId": ID, "context": MARK},
    "the mark alone: another hop gave it another id": {"messageId": "x-1", "context": MARK},
    "the id alone: a mapping left the context out": {"messageId": ID},
    "an identify": {"type": "identify", "messageId": f"{ID}-profile"},
    "a short id with the mark": {"messageId": "bd-9", "context": MARK},
}
OTHERS = {
    "an id of a shop that begins alike": {"messageId": "bd-2026-11"},
    "another library": {"messageId": "x", "context": {"library": {"name": "analytics.js"}}},
    "a library that is text": {"messageId": "x", "context": {"library": "behaviour-discounts"}},
    "no context": {"messageId": "x", "context": None},
    "an id that is a number": {"messageId": 5},
    "our code in the properties": {"messageId": "x", "properties": {"coupon_id": "HV15-8K2F"}},
}


def _ways(call: dict[str, Any]) -> list[tuple[int, int]]:
    """Return how many messages and drops each way of decoding finds."""
    single, batch = msgspec.json.encode(call), msgspec.json.encode([{"json": call}, call])
    tracked = msgspec.json.encode({"batch": [call], "sentAt": "2026-11-21T12:00:00Z"})
    decoded = [
        [webhook.decode(single, NOON)],
        list(webhook.parts(single, NOON, Bounds())),
        [webhook.decode_batch(tracked, NOON, kind=None)],
        list(webhook.batch_parts(tracked, NOON, Bounds(), kind=None)),
        [webhook.decode(batch, NOON)],
        list(webhook.parts(batch, NOON, Bounds(slice_messages=1))),
    ]
    return [
        (sum(len(part.messages) for part in parts), sum(part.dropped for part in parts)) for parts in decoded
    ]


@pytest.mark.parametrize("members", OWN.values(), ids=OWN)
def test_our_own_calls_are_dropped_and_counted(members: dict[str, Any]) -> None:
    assert _ways(CALL | members) == [(0, 1)] * 4 + [(0, 2)] * 2


@pytest.mark.parametrize("members", OTHERS.values(), ids=OTHERS)
def test_calls_of_others_are_kept(members: dict[str, Any]) -> None:
    assert _ways(CALL | members) == [(1, 0)] * 4 + [(2, 0)] * 2


@pytest.mark.parametrize("attributes", [{"sent_by": "behaviour-discounts"}, {"sent_by": "us"}, None, "x"])
def test_an_event_of_mparticle_is_ours_by_its_attribute(attributes: Any) -> None:
    data = {"event_name": "discount_issued", "custom_attributes": attributes}
    batch = {"mpid": 5, "events": [{"event_type": "custom_event", "data": data}]}
    own = attributes == {"sent_by": "behaviour-discounts"}
    decoded = batches.decode(msgspec.json.encode(batch), NOON)
    kinds = [message.document["type"] for message in decoded.messages]
    assert ("custom_event" in kinds, decoded.dropped) == (not own, int(own))


@pytest.mark.parametrize("delivery_id", ["msg_" + "f" * 32, "d\0", "é" * 300, "x" * 97, "x" * 96])
def test_an_id_is_constant_printable_and_short(delivery_id: str) -> None:
    assert own_id(delivery_id) == own_id(delivery_id)
    assert own_id(delivery_id) != own_id(delivery_id, "profile")
    for part in ("", "profile"):
        found = own_id(delivery_id, part)
        assert len(found) <= LONGEST
        assert found.isprintable()
        assert found.startswith("bd-")


def test_what_the_adapter_makes_is_recognised_by_its_form() -> None:
    assert is_own_id(ID)
    assert is_own_id(f"{ID}-profile")
    assert is_own_id(own_id("x" * 200))
    assert not any(map(is_own_id, ("bd-", "bd-1", "bd-msg_1", ID + "!", ID.upper(), "ajs-1")))
