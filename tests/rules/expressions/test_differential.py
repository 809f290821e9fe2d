"""Thousands of random conditions, beside cel-expr-python; differential.py runs more of them."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.rules.expressions import All, AnyOf, EvaluationContext, Node, Not, compile  # noqa: A004
from tests.rules.expressions.differential import Case, differences

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ours_is_exactly_true_where_cels_is(seed: int) -> None:
    found = list(differences(3000, seed))
    wrong = [case for case in found if isinstance(case, Case)]
    assert not wrong, str(wrong[0])
    assert found.count(True) > 300  # else they say nothing
    assert found.count(False) > 300


def naive(node: Node, view: EvaluationContext) -> bool:
    """Two-valued logic, with negation where it stands: what one would write first."""
    match node:
        case Not(part):
            return not naive(part, view)
        case All(parts):
            return all(naive(part, view) for part in parts)
        case AnyOf(parts):
            return any(naive(part, view) for part in parts)
    return compile(node)(view)


def unguarded(node: Node, view: EvaluationContext) -> bool:
    """Values of the wrong type let through: a text where a flag should be counts as true."""
    return bool(view.values[node]) if node.__class__.__name__ == "Path" else compile(node)(view)  # type: ignore[index]


@pytest.mark.parametrize("broken", [naive, unguarded])
def test_a_broken_evaluator_is_caught(broken: Any) -> None:
    assert any(isinstance(case, Case) for case in differences(3000, 1, broken, index=False))


def test_a_seed_gives_the_same_cases_again() -> None:
    assert list(differences(500, 9)) == list(differences(500, 9))
