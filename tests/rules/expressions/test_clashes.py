"""Conditions that exclude each other: just those that no value meets together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from adapter.rules.expressions import EvaluationContext, ExpressionError, Names, compile, parse  # noqa: A004
from adapter.rules.expressions.contradictions import clash, facts

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
#: One value of every kind, all that the conditions name, and one between and beside each of them.
VALUES: list[Any] = [True, False, None, "", "a", "a~", "b", "b~", 0, 1, 1.25, 1.5, 1.75, 2, 3, [], {}]


def written() -> Iterator[str]:
    constants = ("true", "false", "null", '"a"', '"b"', "1", "1.5", "2")
    tests = [
        *(
            f"x {operator} {constant}"
            for operator, constant in product(("==", "!=", "<", "<=", ">", ">="), constants)
        ),
        *(f"x in {listed}" for listed in ('["a", "b"]', "[1, 2]", '["a", 1, null]')),
    ]
    yield from (f"{sign}({test})" for sign, test in product(("", "!"), tests))


def holding(expression: str) -> set[int]:
    test = compile(parse(expression, Names()))
    views = [EvaluationContext({"x": value}, {}, {}, "e", NOW, NOW, lambda metric: None) for value in VALUES]
    return {at for at, view in enumerate(views) if test(view)}


def known() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for expression in written():
        try:
            found[expression] = holding(expression)
        except ExpressionError:  # null has no order
            continue
    return found


MET = known()


@pytest.mark.parametrize("one", MET)
def test_two_conditions_exclude_each_other_just_when_no_value_meets_both(one: str) -> None:
    for other, met in MET.items():
        stated = [fact for each in (one, other) for fact in facts(parse(each, Names()))]
        assert (clash(stated) is not None) == (not met & MET[one]), other
