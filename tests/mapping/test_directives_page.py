"""Every example of docs/mapping-directives.md yields what its comment says, and no directive lacks one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from adapter.files import yaml
from adapter.mapping.directives import DIRECTIVES
from adapter.mapping.files.fields import problems

PAGE = (Path(__file__).parents[2] / "docs" / "mapping-directives.md").read_text(encoding="utf-8")
MESSAGE = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])
SECTIONS = dict(re.findall(r"^## (@\w+)\n(.*?)(?=^#|\Z)", PAGE, re.DOTALL | re.MULTILINE))


def example(section: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Fields, tables, and the comments in order."""
    text = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0]
    document, faults = yaml.parse(text, "page")
    assert document is not None
    assert faults == []
    comments = re.findall(r"  +# (?!…)(.*)$", text, re.MULTILINE)
    if "mappings" in document.value:
        return document.value["mappings"][0]["fields"], document.value["tables"], comments
    return document.value, {}, comments


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_an_example_gives_the_result_in_its_comment(name: str) -> None:
    fields, tables, comments = example(SECTIONS[name])
    assert problems(fields, tables) == []
    assert len(comments) == len(fields)
    mapped = mapping.compile(fields, tables=tables)(MESSAGE)
    assert mapped == mapping.transform(fields, MESSAGE, tables=tables)
    for field, comment in zip(fields, comments, strict=True):
        if comment == "left out":
            assert field not in mapped
        elif comment == "the second product":
            assert mapped[field] == MESSAGE["properties"]["products"][1:]
        else:
            wanted = comment[1:-1] if comment.startswith("'") else json.loads(comment)
            assert mapped[field] == wanted


def test_every_directive_has_its_section() -> None:
    assert set(SECTIONS) == set(DIRECTIVES)
