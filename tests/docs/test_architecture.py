"""The steps of the architecture page work."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import apsw
import pytest
from msgspec import Raw

from adapter.model.actions import ActionMembers
from adapter.rules.action_types import members, registry
from adapter.rules.action_types.contract import ActionType
from adapter.rules.engine.ruleset import load
from adapter.store.tables import description
from adapter.store.tables.customer_sql import statements
from adapter.store.tables.redaction_sql import redactions

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


def test_a_table_added_by_the_page_is_moved_exported_redacted_and_erased() -> None:
    text = section("Add a table of customer data")
    names: dict[str, Any] = {**vars(description), "Raw": Raw}
    for code in python_of(text):
        exec(code, names)
    made = dedent(text.partition("```sql\n")[2].partition("```")[0])
    connection = apsw.Connection(":memory:")
    connection.execute(made)
    connection.execute("INSERT INTO notes VALUES ('old', 'n1', x'7b7d'), ('new', 'n2', x'7b7d')")
    sql = statements([names["NOTES"]], "sqlite")
    connection.execute(sql["move_notes"], ("old", "new"))
    assert connection.execute(sql["export_notes"], ("new",)).fetchall() == [(b"{}",), (b"{}",)]
    assert connection.execute(sql["weigh"], ("new", 9)).fetchall() == [("new", 2, 0)]
    first = redactions([names["NOTES"]], "sqlite")["notes"].first
    assert connection.execute(first, ("new",)).fetchall() == [("n1", b"{}"), ("n2", b"{}")]
    connection.execute(sql["erase_notes"], ("new",))
    assert connection.execute("SELECT count(*) FROM notes").get == 0
