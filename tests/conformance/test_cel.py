"""The condition language against CEL's definition, case by case, and cel-expr-python's word on each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from adapter.rules import holds
from tests.conformance.vectors import check_all

NOW = datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)
THEMES = yaml.safe_load(Path(__file__).with_name("cel.yaml").read_text("utf-8"))
CASES = [{**case, "theme": theme["theme"]} for theme in THEMES for case in theme["cases"]]
NAMES = ("x", "y", "s", "gone")
ENVIRONMENT = cel.NewEnv(
    variables={
        **dict.fromkeys(NAMES, cel.Type.DYN),
        "attributes": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        "now": cel.Type.TIMESTAMP,
    },
    extensions=[ext_strings.ExtStrings()],
)


def named(case: dict[str, Any]) -> str:
    return f"{case['theme']}: {case['expression']} with {case.get('with', {})}"


def test_expressions_have_the_values_that_cel_defines() -> None:
    check_all(CASES, check_ours, named)


def check_ours(case: dict[str, Any]) -> None:
    seen: dict[str, Any] = {"attributes": case.get("with", {}), "traits": {}, "context": {}, "now": NOW}
    assert holds(case["expression"], **seen) is (case["is"] is True)
    assert holds(f"!({case['expression']}\n)", **seen) is (case["is"] is False)


def test_cel_expr_python_gives_the_same_values() -> None:
    check_all([case for case in CASES if not case.get("ours")], check_cel_expr_python, named)


def check_cel_expr_python(case: dict[str, Any]) -> None:
    given = case.get("with", {})
    activation = ENVIRONMENT.Activation({**given, "attributes": given, "now": NOW})
    try:
        value: Any = ENVIRONMENT.compile(case["expression"], disable_check=True).eval(activation).value()
    except RuntimeError:
        value = None
    assert (value if value.__class__ is bool else "error") == case["is"]
