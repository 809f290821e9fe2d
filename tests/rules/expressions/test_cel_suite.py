"""The conformance suite of CEL (cel-spec, tests/simple): the cases that this subset takes, and what differs.

`cel_suite.jsonl` has expression, bindings and answer, none for an error. `cel_differences.jsonl` has what the
page documents under "Where it differs from CEL", with our answer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapter.rules.expressions import EvaluationContext, Names
from adapter.rules.expressions.checker import Checker
from adapter.rules.expressions.compiler import compile_value
from adapter.rules.expressions.parser import parse_syntax
from adapter.rules.expressions.values import Nothing, equal

HERE = Path(__file__).parent
AT = datetime(2026, 1, 1, tzinfo=UTC)


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def answer(expression: str, bindings: dict[str, Any]) -> Any:
    node, _ = Checker(Names()).check(parse_syntax(expression))
    return compile_value(node)(EvaluationContext(bindings, {}, {}, "e", AT, AT, lambda metric: None))


def read(written: dict[str, Any]) -> Any:
    [(kind, value)] = written.items()
    match kind:
        case "timestamp":
            return datetime.fromisoformat(value)
        case "seconds":
            return timedelta(seconds=value)
        case "list":
            return [read(each) for each in value]
        case "object":
            return {key: read(each) for key, each in value.items()}
    return value


def wrong(given: list[dict[str, Any]], member: str) -> list[str]:
    """Return the expressions with another answer than the one written."""
    return [
        f"{case['expression']}: {found}"
        for case in given
        if not _is(found := answer(case["expression"], case.get("bindings", {})), case.get(member))
    ]


def _is(found: Any, written: dict[str, Any] | None) -> bool:
    if written is None or isinstance(found, Nothing):
        return written is None and isinstance(found, Nothing)
    return equal(found, read(written)) is True


def test_the_cases_of_the_suite_that_are_taken_have_its_answers() -> None:
    given = cases("cel_suite.jsonl")
    assert len(given) > 600
    assert not wrong(given, "answer")


def test_what_differs_from_the_suite_is_what_the_page_says() -> None:
    given = cases("cel_differences.jsonl")
    assert not wrong(given, "ours")
    page = (HERE.parents[2] / "docs" / "condition-language.md").read_text(encoding="utf-8")
    said = " ".join(page.partition("## Where it differs from CEL")[2].split())
    for case in given:
        assert case["because"] in said, case
