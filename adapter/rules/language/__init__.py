"""The condition language: a strict subset of CEL in which numbers are one type."""

from adapter.rules.language.compiler import Test, compile, compile_truth  # noqa: A004 - it is what it does
from adapter.rules.language.errors import ExpressionError
from adapter.rules.language.misses import Misses, compile_misses, misses
from adapter.rules.language.names import Names
from adapter.rules.language.nodes import All, AnyOf, Kind, Metric, Node, Not, Path
from adapter.rules.language.parse import is_taken, parse, used
from adapter.rules.language.reads import Reads, reads
from adapter.rules.language.text import text
from adapter.rules.language.view import View

__all__ = [
    "All", "AnyOf", "ExpressionError", "Kind", "Metric", "Misses", "Names", "Node", "Not", "Path", "Reads",
    "Test", "View", "compile", "compile_misses", "compile_truth", "is_taken", "misses", "parse", "reads",
    "text", "used",
]  # fmt: skip
