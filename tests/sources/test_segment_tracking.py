"""Segment's tracking API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from adapter.errors import Unreadable
from adapter.sources.decoded_body import Decoded
from adapter.sources.segment import webhook

ITEM = {
    "type": "track",
    "event": "E",
    "userId": "u",
    "messageId": "m",
    "timestamp": "2026-11-21T09:00:00.000Z",
}


def _decode(body: Any, received_at: datetime, kind: str | None = None) -> Decoded:
    return webhook.decode_batch(msgspec.json.encode(body), received_at, kind=kind)


def test_context_and_integrations_of_the_batch_are_merged_into_each_item(received_at: datetime) -> None:
    own = {**ITEM, "context": {"ip": "1.2.3.4"}, "integrations": {"All": False}}
    body = {
        "batch": [ITEM, own],
        "context": {"ip": "0", "app": {"name": "a"}},
        "integrations": {"All": True, "X": True},
    }
    first, second = (message.document for message in _decode(body, received_at).messages)
    assert (first["context"], first["integrations"]) == (body["context"], body["integrations"])
    assert second["context"] == {"ip": "1.2.3.4", "app": {"name": "a"}}
    assert second["integrations"] == {"All": False, "X": True}


@pytest.mark.parametrize("kind", ["identify", "track", "page", "screen", "group", "alias"])
def test_a_single_call_has_its_type_from_the_path(kind: str, received_at: datetime) -> None:
    [message] = _decode({"userId": "u", "messageId": "m"}, received_at, kind).messages
    assert message.document["type"] == kind
    assert message.key == f"m:{kind}"


@pytest.mark.parametrize("kind", [None, "track"])
def test_the_write_key_is_read_and_not_kept(kind: str | None, received_at: datetime) -> None:
    item = {**ITEM, "writeKey": "WK"}
    body = msgspec.json.encode(item if kind else {"batch": [item], "writeKey": "WK"})
    assert webhook.write_key(body) == "WK"
    decoded = webhook.decode_batch(body, received_at, kind=kind)
    assert "writeKey" not in decoded.messages[0].document


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"batch":[]}', None),
        (b'{"writeKey":null}', None),
        (b'{"writeKey":5}', None),
        (b'{"writeKey":["WK"]}', None),
        (b'{"writeKey":""}', ""),
        (b' {"batch":[{"writeKey":"other"}], "writeKey" : "W\\u004b" } ', "WK"),
        (b'{"writeKey":"first","writeKey":"WK"}', "WK"),
        (b'{"batch":[{"note":"\\ud800"}],"writeKey":"WK"}', "WK"),
        (b'{"batch":[{"deep":' + b"[" * 3_000 + b"]" * 3_000 + b'}],"writeKey":"WK"}', "WK"),
    ],
)
def test_the_write_key_is_the_one_of_the_body_whatever_else_it_holds(body: bytes, key: str | None) -> None:
    assert webhook.write_key(body) == key


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]x",
        b"5",
        b"{",
        b'{"writeKey":"\\ud800"}',
        b'{"batch":[' + b"[]," * 20_000 + b'"\\ud800"],"writeKey":"WK"}',
        b'{"note":"' + b"\\ud800" * 200_000 + b'","writeKey":"WK"}',
    ],
    ids=["nothing", "more", "a number", "half", "no text", "too many marks", "too long"],
)
def test_no_write_key_is_looked_for_far_and_wide(body: bytes) -> None:
    with pytest.raises(Unreadable):
        webhook.write_key(body)


def test_a_retry_without_an_id_has_the_same_key(received_at: datetime) -> None:
    call = {"userId": "u", "event": "E"}
    first = _decode({**call, "sentAt": "2026-11-21T10:00:00Z"}, received_at, "track").messages[0]
    again = _decode({**call, "sentAt": "2026-11-21T10:00:09Z"}, received_at, "track").messages[0]
    assert first.key == again.key
    assert first.document["sentAt"] == "2026-11-21T10:00:00Z"


def test_a_call_without_a_time_happened_when_it_was_received(received_at: datetime) -> None:
    [message] = _decode({"userId": "u", "messageId": "m"}, received_at, "identify").messages
    assert message.document["timestamp"] == message.document["receivedAt"] == "2026-11-21T10:00:00.000Z"


#: sentAt by the client, and the timestamp that 09:00 by its clock becomes; received at 10:00.
CLOCKS = [
    ("2026-11-21T09:59:58.000Z", "2026-11-21T09:00:00.000Z"),  # two seconds on the way
    ("2026-11-21T10:00:30.000+00:00", "2026-11-21T09:00:00.000Z"),
    ("2026-11-21T07:00:00.000Z", "2026-11-21T12:00:00.000Z"),  # three hours behind
    ("2027-11-21T10:00:00.000Z", "2025-11-21T09:00:00.000Z"),  # a year ahead
    ("not a time", "2026-11-21T09:00:00.000Z"),
    (None, "2026-11-21T09:00:00.000Z"),
]


@pytest.mark.parametrize(("sent", "timestamp"), CLOCKS)
def test_a_wrong_clock_is_corrected_as_segment_does(sent: Any, timestamp: str, received_at: datetime) -> None:
    [message] = _decode({"batch": [ITEM], "sentAt": sent}, received_at).messages
    assert message.document["timestamp"] == timestamp
    assert message.document.get("originalTimestamp", ITEM["timestamp"]) == ITEM["timestamp"]


@pytest.mark.parametrize("blank", [{}, {"timestamp": None}, {"timestamp": ""}])
@pytest.mark.parametrize(("sent", "timestamp"), CLOCKS)
def test_an_original_timestamp_alone_is_the_clients_clock(
    sent: Any, timestamp: str, blank: dict[str, Any], received_at: datetime
) -> None:
    item = {name: value for name, value in ITEM.items() if name != "timestamp"} | blank
    item["originalTimestamp"] = ITEM["timestamp"]
    [message] = _decode({"batch": [item], "sentAt": sent}, received_at).messages
    assert (message.document["timestamp"], message.document["originalTimestamp"]) == (
        timestamp,
        ITEM["timestamp"],
    )


def test_a_timestamp_that_cannot_be_corrected_stays(received_at: datetime) -> None:
    items = [{**ITEM, "timestamp": "soon"}, {**ITEM, "timestamp": "9999-12-31T23:59:59Z"}]
    messages = _decode({"batch": items, "sentAt": "2020-01-01T00:00:00Z"}, received_at).messages
    assert [message.document["timestamp"] for message in messages] == ["soon", "9999-12-31T23:59:59Z"]


def test_a_bad_item_is_quarantined_alone(received_at: datetime) -> None:
    body = b'{"writeKey":"WK","batch":[{"type":"track","messageId":"a"},{"x":1e999},null],"sentAt":null}'
    decoded = webhook.decode_batch(body, received_at, kind=None)
    assert [message.key for message in decoded.messages] == ["a:track"]
    assert len(decoded.quarantined) == 2


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"{}", b'{"batch":{}}', b'{"batch":', b'{"batch":[],"sentAt":NaN}']
)
def test_a_body_without_a_batch_is_unreadable(body: bytes, received_at: datetime) -> None:
    with pytest.raises(Unreadable):
        webhook.decode_batch(body, received_at, kind=None)
