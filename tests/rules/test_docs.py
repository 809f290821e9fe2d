"""docs/rules.md: every block loads, every expression is true of what stands beside it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.model.events import Event, User
from adapter.model.rules import Guardrails, Rollout, Rule
from adapter.rules.blocks.block import duration
from adapter.rules.engine.ruleset import load
from adapter.rules.expressions import EvaluationContext, Names, compile, parse, reads  # noqa: A004
from adapter.rules.history.history import History, fold, lookup
from adapter.rules.history.requirements import Metrics
from adapter.rules.testing.cases import load as load_cases
from adapter.rules.testing.run_case import run
from adapter.rules.testing.vocabulary import known

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
ROWS = [
    (expression.replace("\\|", "|"), json.loads(given))
    for expression, given in re.findall(r"^\| `([^`]+)` \| `([\[{][^`]*)` \|$", TEXT, re.MULTILINE)
]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def directory(tmp_path: Path) -> Path:
    for at, block in enumerate(BLOCKS):
        kind = block.split(":")[0]
        name = {"definitions": "definitions", "cases": f"{at:02}.test"}.get(kind, f"rule-{at:02}")
        (tmp_path / f"{name}.yaml").write_text(block, encoding="utf-8")
    return tmp_path


def test_all_blocks_of_the_page_are_one_rule_book(tmp_path: Path) -> None:
    book, problems = load(directory(tmp_path))
    assert problems == []
    assert book is not None
    rules = "".join(block for block in BLOCKS if not block.startswith("cases:"))
    assert len(book.rules) == len(re.findall(r"^(?:  - \{?)?name: ", rules, re.MULTILINE))


def test_the_cases_of_the_page_pass(tmp_path: Path) -> None:
    book, _ = load(directory(tmp_path))
    assert book is not None
    cases, problems = load_cases(tmp_path, known(book, None))
    assert problems == []
    assert [run(case, book).missed for case in cases] == [()] * len(cases)
    assert len(cases) == sum(block.count("- name: ") for block in BLOCKS if block.startswith("cases:"))


def holds(expression: str, given: Any) -> bool:
    node = parse(expression, Names())
    metrics, history = Metrics(reads(node).metrics), History()
    for past in given if isinstance(given, list) else ():
        at = NOW - (duration(past["ago"]) or NOW - NOW)
        fold(history, Event("e", past.get("name", "order_completed"), at, User(), past, {}), metrics)
    attributes = given if isinstance(given, dict) else {}
    view = EvaluationContext(attributes, {}, {}, "x", NOW, NOW, lambda metric: lookup(history, metric, NOW))
    return compile(node)(view)


@pytest.mark.parametrize(("expression", "given"), ROWS)
def test_each_documented_expression_has_the_documented_value(expression: str, given: Any) -> None:
    assert holds(expression, given)


def test_the_tables_are_found() -> None:
    assert len(ROWS) == 30


def test_every_key_of_a_rule_and_every_guardrail_is_on_the_page() -> None:
    words = set(re.findall(r"[a-z_]+", TEXT))
    fields = {*Rule.__struct_fields__, *Guardrails.__struct_fields__, *Rollout.__struct_fields__}
    inner = {"expires_in", "per_user_period", "per_user_window"}  # written expires_in_hours, per and window
    inner |= {"more_actions", "care"}  # written actions, and as types of an action
    inner |= {"holds_back"}  # written exclusive: until_used
    assert fields - inner <= words
