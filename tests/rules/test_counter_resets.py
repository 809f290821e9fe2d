"""Edited limits: which of them find what was issued before, and which begin to count anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.files import yaml
from adapter.rules.engine.counter_changes import CounterReset, reset_counters
from adapter.rules.engine.ruleset import RuleSet

MakeBook = Callable[..., RuleSet]
RULE = "trigger: x\naction: {type: percentage_off, value: 10, max_amount: 20}\n"
_DOCUMENT, _ = yaml.read(Path(__file__).parent / "counter_resets.yaml")
assert _DOCUMENT is not None
CASES: list[dict[str, Any]] = _DOCUMENT.value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_limit_restarts_under_another_counter_key(case: dict[str, Any], make_book: MakeBook) -> None:
    old, new = (make_book(a=f"name: ten\n{RULE}guardrails: {rails}\n") for rails in case["edits"])
    assert reset_counters(old, new) == ([CounterReset("ten", tuple(case["anew"]))] if case["anew"] else [])


def test_a_limit_over_all_rules_restarts_too(make_book: MakeBook) -> None:
    old, new = (
        make_book(a=f"name: ten\n{RULE}", definitions=f"guardrails: {rails}\n")
        for rails in ("{cooldown: 1d}", "{cooldown: 2d}")
    )
    assert reset_counters(old, new) == [CounterReset("*", ("global.cooldown",))]


def test_a_rule_of_a_new_name_has_issued_nothing_before(make_book: MakeBook) -> None:
    old, new = (
        make_book(a=f"name: {name}\n{RULE}guardrails: {{cooldown: 1d}}\n") for name in ("ten", "more")
    )
    assert reset_counters(old, new) == []
