"""Segment's webhooks."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import Unauthorised, Unreadable
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds
from adapter.sources.segment import webhook

SECRET = b"s3cret"
#: With spellings that no re-serialisation would keep.
EVENT = r'{"type":"track","messageId":"m-1","properties":{"n":1.0,"x":1E5,"note":"☃ ]}\/\u2603"}}'.encode()


def _sign(content: bytes) -> str:
    return hmac.new(SECRET, content, "sha1").hexdigest()


@pytest.mark.parametrize("body", [EVENT, b"[" + EVENT + b"]", b' [ {"json": ' + EVENT + b' } , {"x":1}]'])
def test_the_signature_covers_the_first_event(body: bytes) -> None:
    webhook.verify(body, _sign(EVENT), [b"old", SECRET])
    webhook.verify(body, _sign(EVENT).upper(), [SECRET])
    with pytest.raises(Unauthorised, match="does not match") as caught:
        webhook.verify(body, _sign(EVENT + b" "), [b"old", SECRET])
    assert not caught.value.missing


def test_a_batch_is_not_signed_by_another_element() -> None:
    other = b'{"json":{}}'
    body = b"[" + EVENT + b"," + other + b"]"
    for signed in (other, b"{}", b"", body[1:-1]):
        with pytest.raises(Unauthorised):
            webhook.verify(body, _sign(signed), [SECRET])


WRAPPED = b'{"json":' + EVENT + b"}"
#: Bodies, what of each is signed, and how the signature counts.
FORMS = {
    "one message": (EVENT, EVENT, "whole"),
    "a message with blanks around it": (b" " + EVENT + b"\n", b" " + EVENT + b"\n", "whole"),
    "a batch": (b"[" + EVENT + b"," + EVENT + b"]", b"[" + EVENT + b"," + EVENT + b"]", "whole"),
    "a batch of one": (b"[" + EVENT + b"]", b"[" + EVENT + b"]", "whole"),
    "an empty batch": (b"[]", b"[]", "whole"),
    "a batch with blanks": (b" [ " + EVENT + b" ] ", b" [ " + EVENT + b" ] ", "whole"),
    "a wrapped batch": (b"[" + WRAPPED + b"]", b"[" + WRAPPED + b"]", "whole"),
    "a broken batch": (b"[" + EVENT, b"[" + EVENT, "whole"),
    "its first element": (b"[" + EVENT + b',{"forged":1}]', EVENT, "first_element"),
    "its only element": (b"[ " + EVENT + b" ]", EVENT, "first_element"),
    "its first element, wrapped": (b"[" + WRAPPED + b',{"forged":1}]', EVENT, "first_element"),
    "a wrapped first element as it stands": (b"[" + WRAPPED + b"]", WRAPPED, "first_element"),
    "a batch as the first element of a forged one": (
        b"[[" + EVENT + b"]," + EVENT + b"]",
        b"[" + EVENT + b"]",
        "first_element",
    ),
    "the last of two keys": (b'[{"json":{},"json":' + EVENT + b"}]", EVENT, "first_element"),
}


@pytest.mark.parametrize(("body", "signed", "form"), FORMS.values(), ids=FORMS)
def test_the_part_that_a_signature_covers_is_reported(body: bytes, signed: bytes, form: str) -> None:
    assert webhook.verify(body, _sign(signed), [b"old", SECRET]) == form


@given(st.lists(st.sampled_from([EVENT, WRAPPED, b'{"forged":1}', b"[]", b"1"]), min_size=1, max_size=4))
def test_only_the_whole_body_counts_as_whole(elements: list[bytes]) -> None:
    body = b"[" + b",".join(elements) + b"]"
    for signed in (elements[0], b",".join(elements), body.replace(b",", b", "), body + b" ", b" " + body):
        try:
            form = webhook.verify(body, _sign(signed), [SECRET])
        except Unauthorised:
            continue
        assert (form == "whole") == (signed == body)
    assert webhook.verify(body, _sign(body), [SECRET]) == "whole"


def test_the_first_of_two_keys_is_not_what_is_read_and_so_not_what_counts_as_signed() -> None:
    with pytest.raises(Unauthorised):
        webhook.verify(b'[{"json":' + EVENT + b',"json":{}}]', _sign(EVENT), [SECRET])


def test_only_a_lone_json_member_is_unwrapped_for_the_signature() -> None:
    with pytest.raises(Unauthorised):
        webhook.verify(b'[{"json":' + EVENT + b',"forged":1}]', _sign(EVENT), [SECRET])
    with pytest.raises(Unauthorised):
        webhook.verify(b'{"json":' + EVENT + b"}", _sign(EVENT), [SECRET])


HOSTILE = {
    "commas": b'[{"a":[' + b"," * 4_900_000 + b"]}]",
    "brackets": b'[{"a":[' + b"[]" * 2_450_000 + b"]}]",
    "strings": b'[{"a":[' + b'"",' * 1_600_000 + b"1]}]",
    "members": b"[{" + b'"a":1,' * 800_000 + b'"json":1}]',
    "quotes": b"[" + b'"[",' * 1_200_000 + b"1",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_body_without_credentials_is_not_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    slices = payloads.slices

    def counted(body: bytes, at_most: int = 0) -> Iterator[bytes]:
        looked_at.append(at_most)
        assert len(body) <= payloads.UNPROVEN_BYTES
        return slices(body, at_most)

    monkeypatch.setattr(payloads, "slices", counted)
    with pytest.raises(Unauthorised, match="does not match"):
        webhook.verify(HOSTILE[kind], "00", [SECRET])
    assert set(looked_at) == {payloads.UNPROVEN_MARKS}


def test_a_signed_event_may_be_many_times_as_large_as_segments() -> None:
    items = b",".join([b'{"sku":"TEE-001","tags":["a","b"]}'] * 4_000)
    event = b'{"type":"track","properties":{"products":[' + items + b"]}}"
    for body in (b"[" + event + b"," + EVENT + b"]", b'[{"json":' + event + b"}]"):
        webhook.verify(body, _sign(event), [SECRET])


def test_a_missing_header_is_distinguished_from_a_wrong_one() -> None:
    with pytest.raises(Unauthorised, match="X-Signature header is missing") as caught:
        webhook.verify(EVENT, None, [SECRET])
    assert caught.value.missing


def test_without_secrets_nothing_verifies() -> None:
    with pytest.raises(Unauthorised):
        webhook.verify(EVENT, _sign(EVENT), [])


@pytest.mark.parametrize("signature", ["", "ü" * 40, "sha1=" + _sign(EVENT), "\ud800"])
def test_a_strange_signature_is_wrong_not_an_accident(signature: str) -> None:
    with pytest.raises(Unauthorised, match="does not match"):
        webhook.verify(EVENT, signature, [SECRET])


@given(st.binary(), st.text())
def test_no_bytes_and_header_pass_unsigned(body: bytes, signature: str) -> None:
    with pytest.raises(Unauthorised):
        webhook.verify(body, signature, [SECRET])


def test_the_key_is_the_message_id_with_the_type(received_at: datetime) -> None:
    items = [
        {"type": "track", "messageId": "m"},
        {"type": "identify", "messageId": "m"},
        {"type": "track", "messageId": 7},
    ]
    keys = [message.key for message in webhook.decode(msgspec.json.encode(items), received_at).messages]
    assert keys == ["m:track", "m:identify", "7:track"]


def test_a_key_that_no_index_could_hold_is_hashed(received_at: datetime) -> None:
    items = [{"type": "track", "messageId": "m" * 5000}, {"type": "track", "messageId": "a\x00b"}]
    for message in webhook.decode(msgspec.json.encode(items), received_at).messages:
        assert message.key.startswith("sha256:")
        assert len(message.key) == 71


@pytest.mark.parametrize("missing", [{}, {"messageId": None}, {"messageId": ""}, {"messageId": ["x"]}])
def test_without_a_message_id_the_content_is_the_id(missing: dict[str, Any], received_at: datetime) -> None:
    def keyed(item: dict[str, Any]) -> tuple[str, str]:
        [message] = webhook.decode(msgspec.json.encode(item), received_at).messages
        return message.key, message.document["messageId"]

    one = keyed({**missing, "type": "track", "event": "E", "properties": {"a": 1, "b": 2}})
    reordered = keyed({"properties": {"b": 2, "a": 1}, "event": "E", "type": "track", **missing})
    another = keyed({**missing, "type": "track", "event": "E", "properties": {"a": 1, "b": 3}})
    assert one == reordered != another
    assert one == (f"{one[1]}:track", one[1])
    assert one[1].startswith("sha256:")


def test_an_item_that_is_no_message_is_quarantined_alone_and_whole(received_at: datetime) -> None:
    body = b'[{"type":"track"}, 5, {"note":"\\ud800"}, {"body":"a=b"}, [1], {"json":{"type":"page"}}]'
    decoded = webhook.decode(body, received_at)
    assert [message.document["type"] for message in decoded.messages] == ["track", "page"]
    kept = [msgspec.json.decode(entry.document) for entry in decoded.quarantined]
    assert kept == ["5", '{"note":"\\ud800"}', '{"body":"a=b"}', "[1]"]
    assert "form-encoded" in decoded.quarantined[2].reason
    assert all(entry.reason and entry.received_at == received_at for entry in decoded.quarantined)
    assert len({entry.key for entry in decoded.quarantined}) == 4


@pytest.mark.parametrize("body", [b"5", b'"text"', b"null", b"true", b"{", b"", b'{"note":NaN}'])
def test_a_body_that_is_no_message_is_unreadable(body: bytes, received_at: datetime) -> None:
    with pytest.raises(Unreadable):
        webhook.decode(body, received_at)


def test_a_single_message_that_cannot_be_kept_as_text_is_quarantined_whole(received_at: datetime) -> None:
    decoded = webhook.decode(b'{"note":"\\ud800"}', received_at)
    assert decoded.messages == []
    assert [msgspec.json.decode(entry.document) for entry in decoded.quarantined] == ['{"note":"\\ud800"}']


def test_a_batch_of_four_thousand_loses_only_its_bad_event(received_at: datetime) -> None:
    items = [b'{"type":"track","messageId":"m-%d"}' % number for number in range(4000)]
    items[2500] = b'{"type":"track","event":"\\udead"}'
    decoded = webhook.decode(b"[" + b",".join(items) + b"]", received_at)
    assert (len(decoded.messages), len(decoded.quarantined)) == (3999, 1)


ELEMENTS = [
    b'{"type":"track","messageId":"m1","event":"E"}',
    b'{"json": {"type":"track","messageId":"m2"}}',
    b' {"type":"track","x":"\\ud800"}',
    b'{"type":"track","v":1e999}',
    b'{"deep":' + b"[" * 70 + b"]" * 70 + b"}",
    b'"\xff"',
    b"17",
    b"null",
    b'{"body":"a=b"}',
]


@given(st.lists(st.sampled_from(ELEMENTS), max_size=12), st.integers(1, 5))
def test_slices_together_equal_the_whole_body(elements: list[bytes], at_most: int) -> None:
    body = b"[" + b",".join(elements) + b"]"
    now = datetime(2026, 3, 1, tzinfo=UTC)
    whole, parts = webhook.decode(body, now), list(webhook.parts(body, now, Bounds(slice_messages=at_most)))
    assert [message for part in parts for message in part.messages] == whole.messages
    assert [kept for part in parts for kept in part.quarantined] == whole.quarantined


@pytest.mark.parametrize("body", [b"", b"[1", b"[{}] x", b'{"a"', b"17", b"[{},]"])
def test_a_body_that_is_no_array_is_reported_before_the_first_slice(
    body: bytes, received_at: datetime
) -> None:
    with pytest.raises(Unreadable):
        webhook.parts(body, received_at, Bounds())


@pytest.mark.parametrize("body", [b'{"type": "track"}', b'{"v": 1e999}'])
def test_a_body_that_is_no_array_weighs_as_a_whole(body: bytes, received_at: datetime) -> None:
    assert [part.size for part in webhook.parts(body, received_at, Bounds())] == [len(body)]


def test_slices_weigh_as_much_as_their_elements(received_at: datetime) -> None:
    bounds = Bounds(slice_messages=2)
    parts = webhook.parts(b'[{"type": "track"}, {}, {"type":"page"}]', received_at, bounds)
    assert [part.size for part in parts] == [19, 15]
