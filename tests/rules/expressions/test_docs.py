"""docs/condition-language.md: every expression of its tables is true of what stands beside it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter.rules import holds
from adapter.rules.expressions import Names, parse
from adapter.rules.expressions.functions import FUNCTIONS
from adapter.rules.expressions.history_calls import METRICS
from adapter.rules.expressions.macros import MACROS

TEXT = (Path(__file__).parents[3] / "docs" / "condition-language.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+?)` \| `(\{.*\})` \|$", TEXT, re.MULTILINE)
NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)


@pytest.mark.parametrize(("written", "given"), ROWS)
def test_an_expression_of_the_page_is_true(written: str, given: str) -> None:
    text = written.replace("\\|", "|")
    assert holds(text, attributes=json.loads(given), traits={}, context={}, now=NOW)


def test_a_figure_of_the_page_is_one() -> None:
    written = re.findall(r'`(history\.\w+\("[^`…]+\))`', TEXT)
    assert len(written) >= 5
    for figure in written:
        parse(f"{figure} == {figure}", Names())


def test_no_function_is_left_out() -> None:
    for name in (*FUNCTIONS, *MACROS, *METRICS, "has"):
        assert re.search(rf"\b{name}\b", TEXT), name
