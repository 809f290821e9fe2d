"""The names in a quarantined message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Raw

from adapter.model.encoding import encode
from adapter.model.quarantine import Packed, Quarantined, packed, unpacked


def kept(document: bytes) -> Quarantined:
    return Quarantined("segment", "m", Raw(document), "no userId", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"userId": "u", "anonymousId": "a", "previousId": "p", "messageId": "m"}, {"u", "a", "p"}),
        ({"USER_ID": "u", "properties": {"email": "e@x.test", "name": "n"}}, {"u", "e@x.test"}),
        ({"mpid": 2**62, "user_identities": {"customer_id": "c", "other": 7}}, {str(2**62), "c", "7"}),
        ({"user_identities": [{"identity_type": "email", "identity": "e@x.test"}]}, {"e@x.test"}),
        ({"context": {"externalIds": [{"id": "x", "type": "t", "collection": "users"}]}}, {"x"}),
        ({"userId": None, "email": True, "mpid": 1.5}, set()),
        ([{"userId": "u"}], {"u"}),
        ("userId", set()),
        ('{"userId":"u","traits":{"bio":"oh \\ud83d"}}', {"u"}),
        ('{"userId":"\\ud83d","anonymousId":"a"}', {"a"}),
        ('{"mpid":' + "7" * 5000 + "}", {"7" * 5000}),
        ('{"user_id": "u", "email":"e@x.test", "x": 1e999, "mpid": 77, nonsense', {"u", "e@x.test", "77"}),
        ("[" * 100_000 + '{"userId":"u"}', {"u"}),
    ],
)
def test_ids_and_emails_are_found_anywhere(document: Any, names: set[str]) -> None:
    assert kept(encode(document)).names() == names


@pytest.mark.parametrize("document", [b"", b"nope", b"[" * 100_000, b"\xff", b'"oh"'])
def test_a_body_that_is_no_document_names_no_customer(document: bytes) -> None:
    assert kept(document).names() == set()


def test_a_packed_document_names_the_same_customers() -> None:
    document = b'{"userId":"ann","text":"%b"}' % (b"x" * 1_000_000)
    message = kept(document)
    small = packed(message)
    assert isinstance(small, Packed)
    assert packed(small) is small
    assert (small.size, bytes(unpacked(small.whole))) == (len(document), document)
    assert len(small.whole) + len(bytes(small.document)) < 20_000
    assert small.names() == message.names() == {"ann"}


def test_a_short_document_is_stored_uncompressed() -> None:
    message = kept(b'{"userId":"ann"}')
    assert packed(message) is message


def test_a_long_text_is_not_decoded_to_find_names(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"userId":"ann","deep":%s1}' % ('{"a":[' * 100_000)
    message = kept(encode(text))
    monkeypatch.setattr(json, "loads", None)
    assert message.names() == {"ann"}
