"""The steps of the architecture page work."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from adapter.model.actions import ActionMembers
from adapter.rules.action_types import members, registry
from adapter.rules.action_types.contract import ActionType
from adapter.rules.engine.ruleset import load

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def python_of(text: str) -> list[str]:
    return [dedent(code) for code in re.findall(r"^ *```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)]


def test_an_action_type_added_by_the_page_can_be_used_in_a_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {**vars(members), "ActionMembers": ActionMembers, "ActionType": ActionType}
    for code in python_of(section("Add an action type")):
        exec(code, names)
    added = names["ACTION_TYPE"]
    monkeypatch.setitem(registry.BY_NAME, added.name, added)
    monkeypatch.setitem(registry._BY_KIND, added.kind, added)
    (tmp_path / "rule.yaml").write_text("name: wrap\ntrigger: x\naction: {type: gift_wrap, size: large}\n")
    book, problems = load(tmp_path)
    assert problems == []
    assert book is not None
    assert added.describe(book.rules[0].action) == "free wrapping (large)"
    (tmp_path / "rule.yaml").write_text("name: wrap\ntrigger: x\naction: {type: gift_wrap, sise: large}\n")
    assert [problem.mark.column for problem in load(tmp_path)[1]] == [27]
