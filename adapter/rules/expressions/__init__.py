"""The condition language: a strict subset of CEL in which numbers are one type."""

from adapter.rules.expressions.compiler import Test, compile, compile_truth  # noqa: A004 - it is what it does
from adapter.rules.expressions.dependencies import Reads, reads
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.evaluation_context import EvaluationContext
from adapter.rules.expressions.explain import Misses, compile_misses, misses
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.parse import is_taken, parse, parse_value, used
from adapter.rules.expressions.shortfalls import (
    Distances,
    Shortfall,
    compile_shortfalls,
    shortfall_sentence,
)
from adapter.rules.expressions.typed_tree import All, AnyOf, Kind, Metric, Node, Not, Path
from adapter.rules.expressions.unparse import text

__all__ = [
    "All",
    "AnyOf",
    "Distances",
    "EvaluationContext",
    "ExpressionError",
    "Kind",
    "Metric",
    "Misses",
    "Names",
    "Node",
    "Not",
    "Path",
    "Reads",
    "Shortfall",
    "Test",
    "compile",
    "compile_misses",
    "compile_shortfalls",
    "compile_truth",
    "is_taken",
    "misses",
    "parse",
    "parse_value",
    "reads",
    "shortfall_sentence",
    "text",
    "used",
]  # fmt: skip
