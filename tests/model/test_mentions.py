"""Whether a quarantined message mentions a person: by an address or a long id anywhere, else under a name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapter.model.mentions import LONG, Mentions
from adapter.model.quarantine import Quarantined
from tests.model.planting import JSON, PLACES, planted

ANN = "ann.lee@example.org"


def kept(document: Any) -> Quarantined:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Quarantined("segment", "m", Raw(raw), "no userId", datetime(2026, 1, 1, tzinfo=UTC))


def mentioned(document: Any, *names: str) -> bool:
    return Mentions(names).stand_in(kept(document))


@pytest.mark.parametrize(
    "document",
    [
        {"customer_email": ANN}, {"billing_email": "Ann.Lee@Example.org"}, {"emails": ["x@y.test", ANN]},
        {"contact": ANN}, {"properties": {"note": f"call {ANN.upper()}!"}}, {ANN: 1},
        {"a": [{f"<{ANN}>": None}]}, {"url": f"https://x.test/?e={quote(ANN, safe='')}"},
        {"url": f"https://x.test/u/{ANN}/o"}, [[ANN]], json.dumps({"user": ANN}),
        {"url": f"https://x.test/?u={quote('/?e=' + quote(ANN, safe=''), safe='')}"},
        '{"user": "ann.lee\\u0040example.org", broken', f'{{"customer_email":"{ANN}", broken'.encode(),
    ],
)  # fmt: skip
def test_an_address_is_found_anywhere(document: Any) -> None:
    assert mentioned(document, "Ann.Lee@example.ORG")
    assert not mentioned(document, "lee@example.org")


@pytest.mark.parametrize(
    "document",
    [
        {"user": {"id": "7"}}, {"user": {"id": 7}}, {"user": 7}, {"customer": "7"}, {"contact": "7"},
        {"contacts": {"memberId": "7"}}, {"billing_customer_id": 7}, {"identities": {"other": "7"}},
        {"mpid": 7},
        {"data": {"customer": {"external_id": "7", "name": "x"}}}, '{"user_id": 7, broken',
    ],
)  # fmt: skip
def test_a_short_id_is_found_under_names_of_identities(document: Any) -> None:
    assert mentioned(document, "7")


@pytest.mark.parametrize(
    "document",
    [
        {"quantity": 7}, {"properties": {"id": "7", "sku": "7"}}, {"7": True}, {"url": "https://x.test/u/7"},
        {"product": {"id": 7}}, {"user": {"age": 7, "name": "7"}}, ["7"], "7", {"order_id": "7"},
        {"user": {"address": {"id": 7}}}, {"identities": [{"type": "7"}]},
    ],
)  # fmt: skip
def test_a_short_id_elsewhere_is_not_found(document: Any) -> None:
    assert not mentioned(document, "7")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("user_1234567", "user_12345678"), ("user_1234567", "xuser_1234567"), ("12345678", "12345678-9"),
        ("12345678", "GA1.2.12345678.99"), ("ann.lee12", "ann.lee12@x.test"), ("ann.lee12", "joe+ann.lee12"),
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950ef"),
        ("1234567", "1234567"),
    ],
)  # fmt: skip
def test_an_id_that_another_one_holds_is_not_found(name: str, other: str) -> None:
    assert not mentioned({"note": f"see {other}"}, name)


def test_a_placeholder_is_found_only_where_a_message_names_people() -> None:
    mentions = Mentions(["undefined"], frozenset({"undefined"}))
    assert mentions.stand_in(kept({"userId": "undefined"}))
    assert not mentions.stand_in(kept({"properties": {"coupon": "undefined"}}))


@pytest.mark.parametrize(
    "text", ["\\" * 200_000 + "u0040", "%" + "25" * 100_000 + "40", "&#" + "9" * 200_000, "\\ud800" * 30_000]
)
def test_a_long_text_is_looked_through_in_a_few_passes(text: str) -> None:
    assert not mentioned({"note": text}, "user_1234567", ANN)


#: Ids of any characters.
_PARTS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=LONG, max_size=20)
_IDS = st.builds(
    lambda part, joint, end: f"{part}{joint}{end}1", _PARTS, st.sampled_from(["", "|", ":", "/", "-"]), _PARTS
)


@given(JSON, _IDS, PLACES, st.data())
def test_an_id_planted_anywhere_is_found_and_in_no_other_document(
    document: Any, name: str, place: Any, data: st.DataObject
) -> None:
    assert mentioned(planted(document, place(name), data), name)
    assert not mentioned(document, name)
