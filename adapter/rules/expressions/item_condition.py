"""Conditions over one `item` of an order: `item.category == "shoes" && !item.on_sale`.

The language is that of rules, with `item` as the only name. A member that is missing or of another type makes
neither a condition nor its opposite true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from adapter.rules.expressions.checker import Checker
from adapter.rules.expressions.compiler import compile_truth
from adapter.rules.expressions.dependencies import reads
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.explain_elements import of_element
from adapter.rules.expressions.names import Names
from adapter.rules.expressions.one_element import one_element
from adapter.rules.expressions.parser import parse_syntax
from adapter.rules.expressions.typed_tree import Node, Root

#: The name of the item in its conditions.
ITEM: Final = "item"
#: Tells whether an item is meant; takes its members by name. It never raises.
ItemTest = Callable[[Mapping[str, Any]], bool]


class _ItemNames(Names, frozen=True):
    """No names beside `item`."""

    def check(self, root: Root, name: str, offset: int) -> None:
        """Raise ExpressionError: nothing but the item is known."""
        raise ExpressionError(f"unknown name `{name}` of an item", f"write `item.{name}`", offset)

    def check_word(self, name: str, offset: int) -> None:
        """Raise ExpressionError for a word where a text may be meant."""
        remedy = f'write `"{name}"` for text, or `item.{name}`'
        raise ExpressionError(f"unknown name `{name}` of an item", remedy, offset)


_NAMES = _ItemNames()


def parse_item_condition(text: str) -> Node:
    """Return the node of a condition over `item`; raises ExpressionError with the place of the mistake."""
    node = of_element(Checker(_NAMES, (ITEM,)).condition(parse_syntax(text)), ITEM)
    read = reads(node)
    if read.metrics or any(path.root != "element" for path in read.paths):
        remedy = "use `item` alone; what the event and the customer need is a condition of the rule"
        raise ExpressionError("a condition over `item` sees the item only", remedy)
    if not read.paths:
        raise ExpressionError("the condition does not look at `item`", 'write `item.category == "shoes"`')
    return node


def compile_item_condition(text: str) -> ItemTest:
    """Return the test of a condition's text; equal texts have the same test. Raises ExpressionError."""
    return _compiled(text)


@lru_cache(maxsize=4096)
def _compiled(text: str) -> ItemTest:
    holds = compile_truth(parse_item_condition(text), want=True)

    def test(item: Mapping[str, Any]) -> bool:
        return holds(one_element(item))

    return test
