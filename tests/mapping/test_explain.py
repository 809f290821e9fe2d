"""Why a message becomes what it becomes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.mapping import mapping_set
from adapter.mapping.explain.explain import explain
from adapter.model.messages import Message

FILE = """
    source: segment
    mappings:
      - name: Ordered
        subscribe: type = "track" and event = "Order Completed"
        action: event
        fields:
          source_id: {"@path": $.userId}
          name: order_completed
          email: {"@first": [{"@path": $.context.traits.email}, {"@path": $.properties.email}]}
          attributes:
            skus: {"@arrayPath": [$.properties.products, {sku: {"@path": $.sku}}]}
      - name: Erased
        subscribe: type = "delete"
        action: customer.erase
        fields: {source_id: {"@path": $.userId}}
      - name: Counted
        subscribe: type = "screen"
        action: event
        fields: {source_id: {"@path": $.userId}, name: {"@number": {"@path": $.properties.count}}}
      - name: Paid
        subscribe: type = "track" and (event = "Paid" or event = "Payed")
        action: event
        fields: {source_id: {"@path": $.userId}, name: paid}
      - name: Big
        subscribe: type = "track" and properties.total > 100
        action: discount.redeem
        fields: {code: {"@path": $.properties.coupon}}
      - name: Traits
        subscribe: context.traits != null
        action: customer.upsert
        fields: {source_id: {"@path": $.userId}}
"""
DOCUMENT = {
    "type": "track", "event": "Order Completed", "userId": "u-1", "messageId": "m-1",
    "properties": {"total": 5, "products": [{"sku": "A"}, {"sku": "B"}]},
}  # fmt: skip


@pytest.fixture
def explained(
    write_mappings: Callable[..., Path], message_of: Callable[..., Message]
) -> Callable[..., object]:
    read, problems = mapping_set.load(write_mappings(shop=FILE))
    assert read is not None, problems
    return lambda document: explain(read, message_of(document))


def test_a_mapping_that_takes_the_message_shows_each_field_and_its_paths(
    explained: Callable[..., object],
) -> None:
    shown = json.loads(explained(DOCUMENT).json())  # type: ignore[attr-defined]
    ordered = shown["mappings"][0]
    assert ordered["matched"]
    assert ordered["place"].endswith("shop.yaml:4")
    fields = {field["name"]: field for field in ordered["fields"]}
    assert fields["source_id"]["paths"] == ["$.userId"]
    assert fields["name"] == {"name": "name", "value": "order_completed", "paths": [], "missing": []}
    assert fields["email"]["missing"] == ["$.context.traits.email", "$.properties.email"]
    assert fields["attributes"]["paths"] == [
        "$.properties.products", "$.properties.products[0].sku", "$.properties.products[1].sku",
    ]  # fmt: skip
    assert [operation["action"] for operation in ordered["operations"]] == ["event"]


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ("Erased", '`type` is "track", not "delete"'),
        ("Paid", '`event` is "Order Completed", not one of "Paid", "Payed"'),
        ("Big", "`properties.total` is 5; it must be `> 100`"),
        ("Traits", "`context.traits` is missing; it must be `!= null`"),
    ],
)
def test_a_mapping_that_does_not_match_gives_the_reason(
    mapping: str, why: str, explained: Callable[..., object]
) -> None:
    shown = json.loads(explained(DOCUMENT).json())  # type: ignore[attr-defined]
    assert next(entry["why_not"] for entry in shown["mappings"] if entry["name"] == mapping) == why


def test_a_message_that_cannot_be_mapped_shows_the_reason(explained: Callable[..., object]) -> None:
    text = explained({**DOCUMENT, "userId": {}}).text()  # type: ignore[attr-defined]
    assert "quarantined: `source_id` is an object, but must be text or a number" in text


def test_fields_mapped_before_the_fault_are_shown_with_their_paths(explained: Callable[..., object]) -> None:
    document = {**DOCUMENT, "type": "screen", "properties": {"count": "x"}}
    text = explained(document).text()  # type: ignore[attr-defined]
    assert '    source_id: "u-1"  from $.userId\n' in text
    assert '    quarantined: `name` from `$.properties.count`: @number: "x" is not a number' in text


def test_the_text_says_what_is_yielded_and_what_is_not_taken(explained: Callable[..., object]) -> None:
    text = explained(DOCUMENT).text()  # type: ignore[attr-defined]
    assert text.startswith("segment track `Order Completed`, key m-1\n  takes it: Ordered (")
    assert "$.properties.products[].sku" in text
    assert "      - action: event" in text
    assert "  does not: Erased (" in text
