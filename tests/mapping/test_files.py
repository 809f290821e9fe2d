"""Mapping files that do not load: every fault with its place and its remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.mapping.files import mapping_file

MAPPING = """
source: segment
tables: {tables}
mappings:
  - name: Orders
    subscribe: {subscribe}
    action: event
    fields: {fields}
"""
GOOD = {"tables": "{}", "subscribe": 'type = "track"', "fields": "{source_id: u, name: x}"}


def faults(directory: Path) -> list[str]:
    _, problems = mapping_file.load([directory / "shop.yaml"])
    return [str(problem).removeprefix(f"{directory}/shop.yaml:") for problem in problems]


def test_a_valid_file_has_no_problems(write_mappings: Callable[..., Path]) -> None:
    directory = write_mappings(shop=MAPPING.format(**GOOD))
    [file], problems = mapping_file.load([directory / "shop.yaml"])
    assert problems == []
    assert (file.source, [mapping.name for mapping in file.mappings]) == ("segment", ["Orders"])


@pytest.mark.parametrize(
    ("part", "text", "fault"),
    [
        ("subscribe", "'type = \"track\" or or'", "6:35: `or` where a condition is expected"),
        ("subscribe", '"type = \\"trak\\" an"', "6:33: Segment reads `an` at the end as `a`"),
        ("subscribe", ">-\n      type = \"track\" and\n      evnt = \"x\"", "8:7: `evnt` is not a field"),
        ("subscribe", "[a]", "6:16: `subscribe` must be text"),
        ("tables", "[a]", "3:9: `tables` is an object of tables; write `name: {key: value}`"),
        ("tables", "{names: 5}", "3:17: table `names` is not an object; write `key: value` lines"),
        ("fields", "[a]", "8:13: `fields` must be an object; write `field: value` lines"),
        ("fields", "", "8:12: no `fields`; write `field: value` lines"),
        ("fields", "{source_id: u, name: [x]}", "8:34: `name` is a list, but must be text"),
        ("fields", "{source_id: {a: 1}, name: x}", "8:25: `source_id` is an object, but must be text or a"),
        ("fields", "{source_id: u, name: x, context: abc}", "8:46: `context` is text, but must be an object"),
        ("fields", "{name: x}", "5:5: `event` needs the field `source_id`"),
        ("fields", "{source_id: null, name: x}", "8:25: `event` needs the field `source_id`"),
        ("fields", "{source_id: u, name: ' '}", "8:34: `event` needs the field `name`"),
        ("fields", '{source_id: u, name: {"@path": 5}}', "8:44:"),
        ("fields", '{source_id: u, name: {"@lookup": {table: no, value: x}}}', "8:54:"),
        ("fields", "{source_id: u, source_id: v, name: x}", "8:28: `source_id` occurs twice in this block"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(
    part: str, text: str, fault: str, write_mappings: Callable[..., Path]
) -> None:
    directory = write_mappings(shop=MAPPING.format(**{**GOOD, part: text}))
    [found, *_] = faults(directory)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1:1: a mapping file is an object; write `source:` and `mappings:`"),
        ("source: segment\n", "1:1: no mappings; write a list under `mappings:`"),
        ("source: segment\nmappings: [a]\n", "2:12: a mapping is an object"),
        ("mappings: []\n", "1:1: no `source`; write `source: segment` or `source: mparticle`"),
        ("source: segment\n\tmappings: []\n", "2:1: the indentation contains a tab; use spaces"),
    ],
)
def test_an_invalid_file_is_reported_with_the_remedy(
    text: str, fault: str, write_mappings: Callable[..., Path]
) -> None:
    [found, *_] = faults(write_mappings(shop=text))
    assert found.startswith(fault)


def test_fields_that_are_one_directive_are_not_held_to_the_action(
    write_mappings: Callable[..., Path],
) -> None:
    whole = '{"@merge": {direction: right, objects: [{source_id: u}]}}'
    assert faults(write_mappings(shop=MAPPING.format(**{**GOOD, "fields": whole}))) == []
