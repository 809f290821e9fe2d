"""What is refused, where, and what is said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapter.rules.expressions import (
    All,
    AnyOf,
    EvaluationContext,
    ExpressionError,
    Names,
    Not,
    misses,
    parse,
)
from adapter.rules.expressions import compile as compile_expression
from adapter.rules.index import Index

CASES = yaml.safe_load(Path(__file__).with_name("errors.yaml").read_text("utf-8"))
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DECLARED = Names(
    attributes=frozenset({"cart_value"}),
    traits=frozenset({"tier", "address", "tags"}),
    context=frozenset({"country"}),
    events=frozenset({"order_completed"}),
    types={"traits.tier": "text", "traits.tags": "list", "attributes.cart_value": "number"},
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_an_error_has_its_place_and_a_remedy(case: dict[str, Any]) -> None:
    names = DECLARED if case.get("declared") else Names()
    if case.get("ok"):
        parse(case["text"], names)
        return
    with pytest.raises(ExpressionError) as raised:
        parse(case["text"], names)
    error = raised.value
    assert case["says"] in error.message
    assert case.get("write", "") in error.remedy
    assert error.offset == case["at"]
    assert error.message == error.message.rstrip(".")


LIMITS = {
    "longer than 2048": "a == " + '"' + "x" * 2048 + '"',
    "more than 256 parts": " || ".join(["a"] * 257),
    "nests deeper than 32": "(" * 40 + "a" + ")" * 40,
    "more than 32 operators": "+".join(["1"] * 40) + " > 1",
    "a path of more than 32": "a" + ".b" * 40,
    "the expression nests": "!" * 50 + "a",
}


@pytest.mark.parametrize("says", LIMITS)
def test_authors_cannot_ask_for_too_much(says: str) -> None:
    with pytest.raises(ExpressionError, match=says):
        parse(LIMITS[says], Names())


def test_definitions_cannot_grow_without_end() -> None:
    definitions = {"d0": parse("a || b", Names())}
    for level in range(20):
        text = f"d{level} || d{level}"
        try:
            definitions[f"d{level + 1}"] = parse(text, Names(definitions=definitions))
        except ExpressionError as error:
            assert "more than 2048 parts" in error.message  # noqa: PT017
            break
    else:
        pytest.fail("a million parts were accepted")


def test_definitions_cannot_build_on_each_other_without_end() -> None:
    definitions = {"d0": parse("a", Names())}
    for level in range(31):
        definitions[f"d{level + 1}"] = parse(f"!d{level}", Names(definitions=definitions))
    with pytest.raises(ExpressionError, match="nests deeper than 64"):
        parse("!d31", Names(definitions=definitions))
    last = list(definitions.values())[-1]
    for _ in range(16):
        last = All((Not(AnyOf((last,))),))  # as deep as the groups of a rule file
    view = EvaluationContext({"a": True}, {}, {}, "e", NOW, NOW, lambda metric: None)
    assert compile_expression(last)(view) is (Index([last]).match(view) == 1)
    assert compile_expression(last)(view) is not bool(misses(last, view))


def test_a_mapping_at_the_limit_is_accepted_and_compiles() -> None:
    for text in (" || ".join(["a"] * 128), "(" * 30 + "a" + ")" * 30, "!" * 30 + "a", "a" + ".b" * 30,
                 "+".join(["1"] * 32) + " > 1", "(1+" * 15 + "1" + ")" * 15 + " > 1",
                 "(b ? " * 14 + "a" + " : c)" * 14, f"a in [{', '.join(['1'] * 600)}]",
                 "items.exists(i, " + "!(" * 14 + "i" + ")" * 14 + ")"):  # fmt: skip
        compile_expression(parse(text, Names()))
