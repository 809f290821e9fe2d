"""The JSON Schemas that editors read: current, and named by every file of ours, which all are valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from adapter.datamodel.schema import model_schema
from adapter.files import yaml
from adapter.mapping.files.schema import cases_schema, mappings_schema
from adapter.rules.files.schema import definitions_schema, rules_schema
from adapter.rules.testing.schema import cases_schema as rule_cases_schema

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "schema"
SCHEMAS = {
    "mappings": mappings_schema(),
    "cases": cases_schema(),
    "model": model_schema(),
    "rules": rules_schema(),
    "rule-cases": rule_cases_schema(),
    "definitions": definitions_schema(),
}
FILES = sorted(
    path.relative_to(ROOT)
    for folder in (ROOT, *(ROOT / "docs" / "packs").iterdir())
    for room in ("mappings", "rules")
    for path in (folder / room).rglob("*.yaml")
)


def kind_of(path: Path) -> str:
    if path.parent.name == "rules":
        if path.name == "definitions.yaml":
            return "definitions"
        return "rule-cases" if path.name.endswith(".test.yaml") else "rules"
    if path.name.endswith("model.yaml"):
        return "model"
    return "cases" if path.name.endswith(".test.yaml") else "mappings"


def read(path: Path) -> Any:
    document, problems = yaml.read(ROOT / path)
    assert problems == []
    assert document is not None
    return document.value


def test_every_schema_is_committed_as_the_code_makes_it() -> None:
    committed = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.iterdir()}
    assert committed == {f"{name}.schema.json": made for name, made in SCHEMAS.items()}, "run scripts/schemas"
    for schema in committed.values():
        Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_our_own_files_are_valid_and_name_their_schema(path: Path) -> None:
    kind = kind_of(path)
    assert [error.message for error in Draft7Validator(SCHEMAS[kind]).iter_errors(read(path))] == []
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if "yaml-language-server" in line]
    named = (ROOT / path.parent / line.partition("$schema=")[2]).resolve()
    assert named == FOLDER / f"{kind}.schema.json"
