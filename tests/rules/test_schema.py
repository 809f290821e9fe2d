"""The JSON Schemas of rule files know the keys that the loader knows, and are strict where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from jsonschema import Draft7Validator

from adapter.files import yaml
from adapter.rules.action_types.registry import BY_NAME
from adapter.rules.engine import ruleset
from adapter.rules.files.schema import definitions_schema, rules_schema

RULES = Draft7Validator(rules_schema())
FULL = """
name: full
description: Every block that a rule can have
trigger: {event: a, unless: b, within: 1d12h}
conditions: {all: [x > 1, {any: [y == 2], none: [z == 3]}]}
action: {type: KIND, value: 5, unit_type: minutes, metadata: {}}
guardrails:
  per_user_limit: {count: 1, per: day}
  budget: {currency: EUR, total: 10, per_discount: 5}
  schedule: {weekdays: [mon], hours: ["09:00-18:00"]}
rollout: {percent: 50}
"""
#: Blocks whose keys are their author's.
FREE = {"metadata", "conditions"}
SHARED = """
definitions: {a: x > 1}
segments: {s: {source_ids: [u]}, t: {emails: [a@example.com]}, u: y == 1}
guardrails: {paused: false, budget: {currency: EUR, total: 10, per_discount: 5}}
"""


def told(tmp_path: Path, name: str, value: Any) -> list[str]:
    for old in tmp_path.glob("*.yaml"):
        old.unlink()
    (tmp_path / name).write_text(pyyaml.safe_dump(value, sort_keys=False), encoding="utf-8")
    return [problem.message for problem in ruleset.load(tmp_path)[1]]


def blocks(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict) and not FREE & set(path):
        yield path
        for key, inner in value.items():
            yield from blocks(inner, (*path, key))


def at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def offered(schema: Any, validator: Draft7Validator, value: Any, path: tuple[str, ...]) -> set[str]:
    """Return the keys that the schema allows in a block: those of all its parts that the block may follow."""
    parts = [schema]
    for depth, key in enumerate((*path, None)):
        here = at(value, path[:depth])
        open_parts: list[Any] = []
        while parts:
            part = parts.pop()
            if "$ref" in part:
                parts.append(validator.schema["definitions"][part["$ref"].rpartition("/")[2]])
            parts += [each for each in part.get("anyOf", []) if fits(each, here)]
            parts += [each["then"] for each in part.get("allOf", []) if chosen(each, at(value, ("action",)))]
            parts += [part["else"]] if "else" in part else []
            open_parts.append(part)
        if key is None:
            return {name for part in open_parts for name in part.get("properties", {})}
        parts = [part["properties"][key] for part in open_parts if key in part.get("properties", {})]
    return set()


def fits(alternative: Any, value: Any) -> bool:
    """Tell whether a block has the keys that tell an alternative apart."""
    return not isinstance(value, dict) or set(alternative.get("required", ())) <= value.keys()


def chosen(conditional: Any, action: Any) -> bool:
    return bool(conditional["if"]["properties"]["type"]["const"] == action["type"])


@pytest.mark.parametrize("kind", BY_NAME)
def test_both_know_the_same_keys_of_every_block(kind: str, tmp_path: Path) -> None:
    rule = pyyaml.safe_load(FULL.replace("KIND", kind))
    for path in blocks(rule):
        if path[-1:] == ("metadata",):
            continue
        names = offered(rules_schema(), RULES, rule, path)
        assert names, path
        for name in names | {"zzz"}:
            changed = pyyaml.safe_load(FULL.replace("KIND", kind))
            block = at(changed, path)
            block.setdefault(name, None)
            unknown = [line for line in told(tmp_path, "rule.yaml", changed) if "is not known here" in line]
            assert any(f"`{name}`" in line for line in unknown) == (name == "zzz"), (path, name)
        near = told_known(tmp_path, kind, path)
        assert near <= names, path


def told_known(tmp_path: Path, kind: str, path: tuple[str, ...]) -> set[str]:
    """Return what the loader says it knows of a block, asked with a key that is like none."""
    changed = pyyaml.safe_load(FULL.replace("KIND", kind))
    at(changed, path)["0000"] = 1
    (tmp_path / "rule.yaml").write_text(pyyaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
    remedies = [each.remedy for each in ruleset.load(tmp_path)[1] if "`0000` is not known" in each.message]
    return {name for each in remedies for name in re.findall(r"`(\w+)`", each)}


def test_definitions_are_valid_and_an_unknown_key_is_not(tmp_path: Path) -> None:
    validator = Draft7Validator(definitions_schema())
    shared = pyyaml.safe_load(SHARED)
    assert list(validator.iter_errors(shared)) == []
    assert told(tmp_path, "definitions.yaml", shared) == [
        "no rule in this folder: no discount will be issued"
    ]
    assert list(validator.iter_errors({**shared, "segment": {}}))


@pytest.mark.parametrize(
    "text",
    [
        "trigger: x\naction: {type: free_shipping}",
        "name: a\naction: {type: free_shipping}",
        "name: a\ntrigger: x\naction: {type: free_shipping, code: A}",
        "name: a\ntrigger: x\naction: {type: amount_off}",
        "name: a\ntrigger: x\naction: {type: amount_off, value: {tiers: [{from: 1}], of: x}}",
        "name: a\ntrigger: x\naction: {type: amount_off, currencies: {euro: 1}}",
        "name: a\ntrigger: x\naction: {type: buy_x_get_y, buy: {quantity: 1}, get: {quantity: 0}}",
        "name: a\ntrigger: x\naction: {type: percentage_off, value: 5, applies_to: {category: shoes}}",
        "name: a\ntriger: x\ntrigger: x\naction: {type: free_shipping}",
        "name: a|b\ntrigger: x\naction: {type: free_shipping}",
        "name: a\ntrigger: x\naction: {type: percentage_of, value: 10}",
        "name: a\ntrigger: x\naction: {type: percentage_off, value: 110}",
        "name: a\ntrigger: x\naction: {type: percentage_off, value: 10, service_levels: [x]}",
        "name: a\ntrigger: x\naction: {type: unit_off, value: 10}",
        "name: a\ntrigger: x\naction: {type: free_shipping}\nguardrails: {cooldown: 3 days}",
        "name: a\ntrigger: x\naction: {type: free_shipping}\nguardrails: {per_user_limit: {per: x}}",
        'name: a\ntrigger: x\naction: {type: free_shipping}\nguardrails: {stackable: "no"}',
        "name: a\ntrigger: {event: x, unless: y}\naction: {type: free_shipping}",
        "name: a\ntrigger: {trait: x, to: [y]}\naction: {type: free_shipping}",
        "name: a\ntrigger: {segment: x}\naction: {type: free_shipping}",
        "name: a\ntrigger: x\nconditions: {al: [x > 1]}\naction: {type: free_shipping}",
        "rules: []",
    ],
)
def test_a_slip_is_underlined_where_the_loader_refuses_it(text: str, tmp_path: Path) -> None:
    document, _ = yaml.parse(text, "rule.yaml")
    assert document is not None
    assert list(RULES.iter_errors(document.value))
    assert told(tmp_path, "rule.yaml", document.value)
