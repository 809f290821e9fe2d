"""The JSON Schemas that editors read: current, true to our own files, and strict where the loader is."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from adapter.files import yaml
from adapter.mapping.schema import cases_schema, mappings_schema

ROOT = Path(__file__).parents[2]
SCHEMAS = {"mappings": mappings_schema(), "cases": cases_schema()}
FILES = sorted((*(ROOT / "mappings").rglob("*.yaml"), *(ROOT / "docs" / "packs").glob("*/mappings/*.yaml")))


def kind_of(path: Path) -> str:
    return "cases" if path.name.endswith(".test.yaml") else "mappings"


def read(path: Path) -> Any:
    document, problems = yaml.read(path)
    assert problems == []
    assert document is not None
    return document.value


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_the_one_that_the_code_makes(name: str) -> None:
    committed = json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert committed == SCHEMAS[name], "run scripts/schemas"
    Draft7Validator.check_schema(committed)


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "model.yaml"], ids=str)
def test_our_own_files_are_valid_and_name_their_schema(path: Path) -> None:
    errors = [error.message for error in Draft7Validator(SCHEMAS[kind_of(path)]).iter_errors(read(path))]
    assert errors == []
    lines = path.read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if "yaml-language-server" in line]
    named = (path.parent / line.partition("$schema=")[2]).resolve()
    assert named == ROOT / "docs" / "schema" / f"{kind_of(path)}.schema.json"


GOOD: dict[str, Any] = {
    "source": "segment",
    "mappings": [{
        "name": "Orders", "subscribe": 'type = "track"', "action": "event",
        "fields": {"source_id": {"@path": "$.userId"}, "name": "x",
                   "email": {"@if": {"exists": {"@path": "$.a"}, "then": 1}}},
    }],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["source"], "segmnt"),
        (["mapings"], []),
        (["mappings", 0, "action"], "evnt"),
        (["mappings", 0, "subscrib"], "x"),
        (["mappings", 0, "fields", "nme"], "x"),
        (["mappings", 0, "fields", "email"], {"@pth": "$.a"}),
        (["mappings", 0, "fields", "email"], {"@path": 5}),
        (["mappings", 0, "fields", "email"], {"@if": {"exist": {"@path": "$.a"}}}),
        (["mappings", 0, "fields", "email"], {"deep": [{"@case": {"value": "x"}}]}),
        (["mappings", 0, "fields"], {"source_id": "u"}),
    ],
)
def test_a_slip_is_underlined(path: list[Any], value: Any) -> None:
    validator = Draft7Validator(SCHEMAS["mappings"])
    assert list(validator.iter_errors(GOOD)) == []
    broken = deepcopy(GOOD)
    holder: Any = broken
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    assert list(validator.iter_errors(broken))
