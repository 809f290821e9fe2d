"""Every recorded result of the reference's subscriptions: equal, or refused for a named trap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import MappingError
from adapter.files import yaml
from adapter.mapping import SubscriptionError, matches
from adapter.mapping.subscriptions import Condition, Group, SubscriptionIndex, parse
from tests.conformance.vectors import check_all

HERE = Path(__file__).parent
VECTORS = [json.loads(line) for line in (HERE / "fql.jsonl").read_text("utf-8").split("\n") if line]


def traps() -> dict[int, str]:
    document, problems = yaml.read(HERE / "fql_traps.yaml")
    assert document is not None
    assert problems == []
    return {number: trap for trap, entry in document.value.items() for number in entry["ids"]}


TRAPS = traps()
READ = [vector for vector in VECTORS if vector["id"] not in TRAPS]
REFUSED = [vector for vector in VECTORS if vector["id"] in TRAPS]
TYPES = {
    "type": "event-type",
    "properties": "event-property",
    "traits": "event-trait",
    "context": "event-context",
}


def show(vector: dict[str, Any]) -> str:
    return f"{vector['id']}-{vector['cat']}"


def as_reference(node: Group | Condition) -> dict[str, Any]:
    """The subscription as the reference's parser prints it."""
    if isinstance(node, Group):
        return {
            "type": "group",
            "operator": node.operator,
            "children": list(map(as_reference, node.children)),
        }
    printed: dict[str, Any] = {"type": TYPES.get(node.field, node.field), "operator": node.operator}
    if node.name:
        printed["name"] = node.name
    if node.value is not None:
        printed["value"] = node.value
    return printed


def test_subscriptions_match_what_the_reference_matches() -> None:
    check_all(READ, check_match, show)


def check_match(vector: dict[str, Any]) -> None:
    event: Any = vector["event"]
    if "errors" in vector:
        with pytest.raises(MappingError):
            matches(vector["fql"], event)
        assert vector["event"] is None
        return
    assert matches(vector["fql"], event) is vector["expect"]
    if isinstance(event, dict):
        found = SubscriptionIndex([parse(vector["fql"])]).candidates(vector["event"])
        assert found == ([0] if vector["expect"] else [])


def test_subscriptions_are_parsed_as_the_reference_parses_them() -> None:
    check_all([vector for vector in READ if "ast" in vector], check_tree, show)


def check_tree(vector: dict[str, Any]) -> None:
    assert as_reference(parse(vector["fql"])) == vector["ast"]


def test_a_trap_is_refused_with_its_place_and_a_remedy() -> None:
    check_all(REFUSED, check_refused, show)


def check_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(SubscriptionError) as raised:
        parse(vector["fql"])
    assert raised.value.trap == TRAPS[vector["id"]]
    assert 0 <= raised.value.position <= len(vector["fql"])
    assert raised.value.remedy


def test_few_vectors_are_refused_and_none_is_left_out() -> None:
    assert len(VECTORS) == 788
    assert len(READ) + len(REFUSED) == len(VECTORS)
    assert len(REFUSED) == len(TRAPS) == 125


def test_subscriptions_that_the_reference_cannot_parse_are_refused() -> None:
    unreadable = {vector["id"] for vector in VECTORS if "parse_error" in vector}
    assert unreadable <= set(TRAPS)
