"""An expression's text to its checked node."""

from __future__ import annotations

from adapter.rules.expressions.checker import Checker
from adapter.rules.expressions.dependencies import depth, weight
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import SPECIAL, Names
from adapter.rules.expressions.parser import KEYWORDS, parse_syntax
from adapter.rules.expressions.syntax_tree import words
from adapter.rules.expressions.typed_tree import Node

#: The most parts an expression may have once its definitions are written out.
MAX_WEIGHT = 2048
#: And how deep they may then stand within one another.
MAX_DEPTH = 64


def used(text: str) -> frozenset[str]:
    """Return the names that a condition uses, none where it is no expression."""
    try:
        return words(parse_syntax(text))
    except ExpressionError:
        return frozenset()


def is_taken(name: str) -> bool:
    """Tell whether a word already means something else where an expression could name it."""
    return name in SPECIAL or name in KEYWORDS or name == "has"


def parse(text: str, names: Names) -> Node:
    """Return the node of a condition; raises ExpressionError with the place of the first mistake."""
    node = Checker(names).condition(parse_syntax(text))
    if not names.definitions:  # the parser has seen to it
        return node
    if weight(node) > MAX_WEIGHT:
        remedy = "let definitions name fewer others"
        raise ExpressionError(f"with its definitions the expression has more than {MAX_WEIGHT} parts", remedy)
    if depth(node) > MAX_DEPTH:
        remedy = "let definitions build less on each other"
        raise ExpressionError(f"with its definitions the expression nests deeper than {MAX_DEPTH}", remedy)
    return node
