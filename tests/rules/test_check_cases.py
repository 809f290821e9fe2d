"""What test cases name is looked up: rules, guardrails, events, attributes and traits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from adapter.datamodel.load import read
from adapter.files import yaml as files
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.testing.cases import load
from adapter.rules.testing.vocabulary import known

CASES = yaml.safe_load(Path(__file__).with_name("case_names.yaml").read_text("utf-8"))
RULES = """
rules:
  - name: ten
    trigger: checkout_started
    conditions: [cart_value >= 120 || user.vip == true, 'history.sum("order_completed", "total") < 900']
    action: {type: percentage_off, value: 10}
  - name: late
    trigger: {event: checkout_started, unless: order_completed, within: 30m}
    action: {type: free_shipping}
"""
MODEL = "events: {checkout_started: {attributes: {currency: string}}}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_unknown_name_is_reported_at_its_place(
    case: dict[str, Any], tmp_path: Path, make_book: Callable[..., RuleSet]
) -> None:
    path = tmp_path / "a.test.yaml"
    path.write_text("cases:\n  - name: it\n" + indent(case["case"], "    "), encoding="utf-8")
    document, _ = files.parse(MODEL, "model.yaml")
    assert document is not None
    model, _ = read(document) if case.get("model") else (None, [])
    cases, problems = load(tmp_path, known(make_book(a=RULES), model))
    found = [str(problem).removeprefix(f"{path}:") for problem in problems]
    assert len(found) == len(case["problems"]), found
    for expected, line in zip(case["problems"], found, strict=True):
        assert line.startswith(expected)
    assert len(cases) == all("warning: " in line for line in found)


def test_cases_that_share_an_event_are_warned_of_once(
    tmp_path: Path, make_book: Callable[..., RuleSet]
) -> None:
    (tmp_path / "a.test.yaml").write_text(
        "cases:\n"
        "  - name: one\n"
        "    event: &it {name: checkout_started, attributes: {cart_valu: 1}}\n"
        "    expect: {ten: none}\n"
        "  - {name: two, event: *it, expect: {ten: none}}\n",
        encoding="utf-8",
    )
    cases, problems = load(tmp_path, known(make_book(a=RULES), None))
    assert (len(cases), len(problems)) == (2, 1)
