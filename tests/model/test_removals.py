"""Ids are removed everywhere in documents, and nothing else of the documents changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapter.model.mentions import decoded, folded, is_whole
from adapter.model.removals import IdRemoval
from tests.model.planting import JSON, PLACES, planted, texts

IDS = [
    "cust-000001-ann",
    "anon-000001",
    "90071992",
    "\u00dcnal-2024-x",
    "\u017c\u00f3\u0142w\u017c\u00f3\u0142w",
    "a b|c/d:e 123",
]
LONG = "0123456789abcdef-0123"
REMOVAL = IdRemoval([*IDS, LONG])


def removed(document: Any, table: str = "events") -> Any:
    return json.loads(REMOVAL.document(json.dumps(document).encode(), table))


def free(value: Any) -> Any:
    """Return what becomes of something that a person sent."""
    return removed({"attributes": {"it": value}})["attributes"]["it"]


@given(JSON, PLACES, st.sampled_from([*IDS, LONG]), st.sampled_from([True, False]), st.data())
def test_an_id_planted_anywhere_is_removed_and_the_rest_is_unchanged(
    document: Any, place: Any, name: str, escaped: bool, data: st.DataObject
) -> None:
    # A key without a digit is taken for a field's name.
    assume(any(map(str.isdigit, name)) or not isinstance(place(name), dict) or name not in place(name))
    whole = {"attributes": planted(document, place(name), data), "context": {"beside": document}}
    raw = json.dumps(whole, ensure_ascii=escaped).encode()
    left = json.loads(REMOVAL.document(raw, "events"))
    for text in texts(left):
        assert not any(is_whole(folded(name), folded(plain)) for plain in decoded(text))
    assert left["context"] == whole["context"]
    kept = [text for text in texts(whole) if not REMOVAL.contains(text)]
    assert [text for text in texts(left) if "[erased]" not in text] == kept


@given(JSON)
def test_a_document_without_an_id_is_the_same_to_the_byte(document: Any) -> None:
    raw = json.dumps({"attributes": document}, indent=1).encode()
    assert REMOVAL.document(raw, "events") == raw


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://x.test/u/CUST-000001-ann/o?y=1", "https://x.test/u/[erased]/o?y=1"),
        ("line\nanon-000001\tend", "line\n[erased]\tend"), (90071992, "[erased]"), (90071992.0, "[erased]"),
        ("90071992", "[erased]"), ("\uff41non-000001", "[erased]"), ("xanon-000001", "xanon-000001"),
        ("anon-000001-2", "anon-000001-2"), ("anon-000001_2", "anon-000001_2"), (900719925, 900719925),
        (1.90071992, 1.90071992), (f"{LONG}-4", "[erased]-4"), ("anon%2D000001", "[erased]"),
        ({"anon-000001": 1}, {"[erased]": 1}),
    ],
)  # fmt: skip
def test_ids_are_removed_as_a_whole(before: Any, after: Any) -> None:
    assert free(before) == after


@pytest.mark.parametrize("name", ["occurred_at", "attributes", "order_completed", "redeemed", "cart_value"])
def test_an_id_that_is_a_word_of_the_program_leaves_documents_readable(name: str) -> None:
    document = {
        "id": "e1", "name": name, "occurred_at": "2026-01-01", "status": name, "claims": [[name, name, 1]],
        "told_at": {name: 12345678}, "attributes": {"occurred_at": 1, "cart_value": 2}, "amount": 90071992,
    }  # fmt: skip
    raw = json.dumps(document).encode()
    assert IdRemoval([name, "90071992", "12345678"]).document(raw, "events") == raw


def test_the_update_time_of_a_trait_moves_to_its_new_name() -> None:
    before = {"source_id": "bob", "traits": {"anon-000001": 1}, "told_at": {"traits.anon-000001": 5}}
    after = {"source_id": "bob", "traits": {"[erased]": 1}, "told_at": {"traits.[erased]": 5}}
    assert removed(before, "customers") == after


def test_an_id_inside_a_customers_own_id_is_not_removed() -> None:
    spared = REMOVAL.sparing([f"{LONG}-2", "ANON-000001"])
    assert spared.ids == REMOVAL.ids - {LONG, "anon-000001"}
    assert REMOVAL.sparing(["bob"]) is REMOVAL
