"""Reads one expression in a block; mistakes and doubts become problems at their character."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from adapter.files.yaml import Keys
from adapter.rules.blocks.block import Block
from adapter.rules.expressions import ExpressionError, Names, Node

Parse = Callable[[str, Names], Node]


def expression(block: Block, text: str, at: Keys, names: Names, parse: Parse) -> Node | None:
    """Return an expression's node, None where it is refused; names that are in doubt are warned of."""
    doubts: list[ExpressionError] | None = None if names.doubts is None else []
    try:
        node = parse(text, replace(names, doubts=doubts))
    except ExpressionError as error:
        block.refuse_inside(at, text, error.offset, error.message, error.remedy)
        return None
    for doubt in doubts or ():
        block.warn_inside(at, text, doubt.offset, doubt.message, doubt.remedy)
    return node
