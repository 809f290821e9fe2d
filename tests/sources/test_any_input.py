"""Whatever comes in: Unreadable, or every item accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import Unreadable
from adapter.sources.decoded_body import Decoded
from adapter.sources.mparticle import batches
from adapter.sources.segment import webhook

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
#: Names that the decoders look at, so that strange values stand under them.
NAMES = st.sampled_from([
    "type", "event", "messageId", "userId", "context", "integrations", "timestamp", "sentAt", "writeKey",
    "json", "body", "batch", "events", "event_type", "data", "mpid", "user_identities", "identity_type",
    "user_attributes", "deleted_user_attributes", "source_info", "channel", "environment", "device_info",
    "mp_deviceid", "product_action", "promotion_action", "action", "products", "custom_attributes",
    "source_message_id", "event_id", "session_id", "location", "timestamp_unixtime_ms", "request_type",
    "source_mpid", "destination_mpid", "identity", "currency_code", "user_attribute_name",
    "source_request_id",
])  # fmt: skip
VALUES = st.recursive(
    SCALARS | st.sampled_from(["alias", "user_attribute_change", "commerce_event", "bd-1", "customer_id"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=25,
)
ITEMS = st.lists(VALUES | st.dictionaries(NAMES, VALUES, max_size=8), max_size=6)


def _outcome(decoded: Decoded) -> int:
    for message in decoded.messages:
        assert message.key
        assert message.key.isprintable()
        assert len(message.key) <= 200
        assert isinstance(message.document["messageId"], str | int)
        msgspec.json.encode(message.document)
    for entry in decoded.quarantined:
        assert entry.reason
        assert isinstance(msgspec.json.decode(entry.document), str)
    return len(decoded.messages) + len(decoded.quarantined) + decoded.dropped


@given(st.binary() | st.text(alphabet='{}[],:"\\ 1aue\u2603').map(str.encode))
def test_arbitrary_bytes_are_decoded_or_unreadable(body: bytes) -> None:
    for decode in (webhook.decode, batches.decode, _tracked, _track):
        try:
            _outcome(decode(body, NOW))
        except Unreadable:
            continue


def _tracked(body: bytes, received_at: datetime) -> Decoded:
    return webhook.decode_batch(body, received_at, kind=None)


def _track(body: bytes, received_at: datetime) -> Decoded:
    return webhook.decode_batch(body, received_at, kind="track")


@given(ITEMS)
def test_every_item_of_a_segment_batch_is_accounted_for(items: list[Any]) -> None:
    assert _outcome(webhook.decode(msgspec.json.encode(items), NOW)) == len(items)


@given(ITEMS, VALUES, VALUES, VALUES)
def test_every_item_of_a_tracking_batch_is_accounted_for(
    items: list[Any], context: Any, integrations: Any, sent: Any
) -> None:
    body = {"batch": items, "context": context, "integrations": integrations, "sentAt": sent}
    assert _outcome(_tracked(msgspec.json.encode(body), NOW)) == len(items)


@given(st.dictionaries(NAMES, VALUES, max_size=8), ITEMS)
def test_every_event_of_an_mparticle_batch_is_accounted_for(batch: dict[str, Any], events: list[Any]) -> None:
    batch = {**batch, "mpid": 5, "events": events}
    batch.pop("request_type", None)
    decoded = batches.decode(msgspec.json.encode(batch), NOW)
    shared = sum(
        message.document["type"] == "identify" and "event" not in message.document
        for message in decoded.messages
    )
    faults = sum("user_" in entry.reason for entry in decoded.quarantined)
    assert shared + faults <= 1
    assert _outcome(decoded) - shared - faults == max(len(events), decoded.dropped)


@given(ITEMS)
def test_every_batch_of_a_bulk_is_accounted_for(items: list[Any]) -> None:
    assert _outcome(batches.decode(msgspec.json.encode(items), NOW)) >= len(items)


@given(st.integers(min_value=0, max_value=4), st.sampled_from([b"\\ud800", b"\\uDFFF", b"\xff"]))
def test_the_place_of_a_bad_item_does_not_matter(place: int, bad: bytes) -> None:
    items = [b'{"event_type":"e","messageId":"m-%d"}' % number for number in range(4)]
    items.insert(place, b'{"event_type":"' + bad + b'"}')
    array = b"[" + b",".join(items) + b"]"
    for decoded in (
        webhook.decode(array, NOW),
        _tracked(b'{"batch":' + array + b"}", NOW),
        batches.decode(b'{"mpid":0,"events":' + array + b"}", NOW),
    ):
        assert (len(decoded.messages), len(decoded.quarantined)) == (4, 1)
