"""Actions from the rule file to the record of a discount, and on to the pricing of an order."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from jsonschema import Draft7Validator
from msgspec import to_builtins

from adapter.files import yaml
from adapter.model.actions import Action
from adapter.model.encoding import decode, encode
from adapter.model.events import Event
from adapter.pricing import read_terms
from adapter.rules.action_types.registry import BY_NAME, describe
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import load
from adapter.rules.expressions.item_condition import compile_item_condition
from adapter.rules.files.schema import rules_schema
from adapter.rules.guardrails.proposal import Proposal

_DOCUMENT, _ = yaml.read(Path(__file__).parent / "actions.yaml")
assert _DOCUMENT is not None
CASES: list[dict[str, Any]] = _DOCUMENT.value
RULES = Draft7Validator(rules_schema())
AT = datetime(2026, 7, 15, tzinfo=UTC)


def rule_with(action: dict[str, Any], tmp_path: Path) -> Any:
    rule = {"name": "r", "trigger": "x", "action": action}
    assert list(RULES.iter_errors(rule)) == []
    (tmp_path / "rule.yaml").write_text(pyyaml.safe_dump(rule, sort_keys=False), encoding="utf-8")
    book, problems = load(tmp_path)
    assert [problem for problem in problems if problem.severity == "error"] == []
    assert book is not None
    return book.rules[0]


@pytest.mark.parametrize("case", CASES, ids=[str(case["words"]) for case in CASES])
def test_an_action_is_issued_as_it_was_written(
    case: dict[str, Any], tmp_path: Path, make_event: Callable[..., Event]
) -> None:
    rule = rule_with(case["action"], tmp_path)
    action = issue(Proposal(rule, ()), make_event(), "ann", "X", AT).discount.action
    stored = encode(action)
    assert list(json.loads(stored, parse_float=Decimal)) == list(case["record"])
    assert json.loads(stored, parse_float=Decimal) == exact(case["record"])
    assert decode(stored, type(action)) == action
    assert decode(b"[" + stored + b"]", list[Action]) == [action]
    assert describe(action) == case["words"]
    read_terms("X", to_builtins(action, builtin_types=(Decimal, datetime)), compile_item_condition)


def exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return Decimal(str(value)) if isinstance(value, float) else value


def test_every_type_of_action_has_a_case() -> None:
    assert {case["action"]["type"] for case in CASES} == set(BY_NAME)
