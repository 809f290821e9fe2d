"""An expression's text to its checked node."""

from __future__ import annotations

from adapter.rules.expressions import unparse
from adapter.rules.expressions.checker import Checker
from adapter.rules.expressions.dependencies import depth, weight
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.names import CEL_TYPES, SPECIAL, Names
from adapter.rules.expressions.parser import KEYWORDS, parse_syntax
from adapter.rules.expressions.syntax_tree import start, words
from adapter.rules.expressions.typed_tree import Kind, Node
from adapter.rules.expressions.types import WORDS

#: The most parts an expression may have once its definitions are written out.
MAX_WEIGHT = 2048
#: And how deep they may then be nested.
MAX_DEPTH = 64


def used(text: str) -> frozenset[str]:
    """Return the names that a condition uses, none where it is no expression."""
    try:
        return words(parse_syntax(text))
    except ExpressionError:
        return frozenset()


def is_taken(name: str) -> bool:
    """Tell whether a word already means something else where an expression could name it."""
    return name in SPECIAL or name in KEYWORDS or name in CEL_TYPES or name == "has"


def parse(text: str, names: Names) -> Node:
    """Return the node of a condition; raises ExpressionError with the place of the first mistake."""
    return _bounded(Checker(names).condition(parse_syntax(text)), names)


def parse_value(text: str, names: Names, kinds: tuple[Kind, ...]) -> Node:
    """Return the node of an expression that gives one of these kinds of values; raises ExpressionError."""
    tree = parse_syntax(text)
    node, kind = Checker(names).check(tree)
    if kind != "any" and kind not in kinds:
        needed = " or ".join(WORDS[one] for one in kinds)
        example = "cart_value * 0.1" if kinds == ("number",) else "user.tier"
        message = f"`{unparse.text(node)}` is {WORDS[kind]}, and {needed} is needed"
        raise ExpressionError(message, f"write an expression such as `{example}`", start(tree))
    return _bounded(node, names)


def _bounded(node: Node, names: Names) -> Node:
    """Return the node; raises ExpressionError where its definitions make it too large."""
    if not names.definitions:  # the parser has seen to it
        return node
    if weight(node) > MAX_WEIGHT:
        remedy = "let definitions name fewer others"
        raise ExpressionError(f"with its definitions the expression has more than {MAX_WEIGHT} parts", remedy)
    if depth(node) > MAX_DEPTH:
        remedy = "let definitions build less on each other"
        raise ExpressionError(f"with its definitions the expression nests deeper than {MAX_DEPTH}", remedy)
    return node
