"""Liquid's operators as liquidjs computes them."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import is_number
from adapter.mapping.liquid.context import ITEM, Context
from adapter.mapping.liquid.values import BLANK, EMPTY, NULL, Literal, is_false, is_nil, number, plain, units

#: An operator of a condition.
Operator = Callable[[Any, Any, Context], bool]

_BLANK_TEXT = re.compile(f"[{javascript.WHITESPACE}]*\\Z")


def equal(left: Any, right: Any, context: Context) -> bool:
    """Return `left == right`: types must agree, lists are compared by item, objects only with themselves."""
    if type(left) is Literal:
        return _is(left, right)
    if type(right) is Literal:
        return _is(right, left)
    if type(left) is list:
        return type(right) is list and _lists_equal(left, right, context)
    if is_number(left) and is_number(right):
        return javascript.as_double(left) == javascript.as_double(right)
    if type(left) is not type(right):
        return False
    return left is right if type(left) is dict else left == right


def _lists_equal(left: list[Any], right: list[Any], context: Context) -> bool:
    context.use(len(left) * ITEM)
    return len(left) == len(right) and all(
        equal(one, two, context) for one, two in zip(left, right, strict=True)
    )


def _is(literal: Literal, value: Any) -> bool:
    if literal is NULL:
        return is_nil(plain(value))
    if literal is BLANK and (value is False or is_nil(plain(value)) or _is_blank(value)):
        return True
    return value is not EMPTY and value is not BLANK and plain(value) in ("", [], {})


def _is_blank(value: Any) -> bool:
    return type(value) is str and _BLANK_TEXT.match(value) is not None


def contains(left: Any, right: Any, context: Context) -> bool:
    """Return `left contains right`: of an item in a list, or of text in text."""
    left = plain(left)
    if type(left) is list:
        context.use(len(left) * ITEM)
        return any(equal(item, right, context) for item in left)
    if type(left) is not str:
        return False
    context.use(len(left))
    return javascript.text(plain(right)) in left


def _ordered(compare: Callable[[Any, Any], bool]) -> Operator:
    def ordered(left: Any, right: Any, context: Context) -> bool:
        if type(left) is Literal or type(right) is Literal:
            return False
        left, right = _primitive(left, context), _primitive(right, context)
        if type(left) is str and type(right) is str:
            return compare(units(left), units(right))
        one, two = number(left), number(right)
        return not math.isnan(one) and not math.isnan(two) and compare(one, two)

    return ordered


def _primitive(value: Any, context: Context) -> Any:
    if type(value) is not list and type(value) is not dict:
        return value
    context.walk(value)
    return javascript.text(value)


def _unequal(left: Any, right: Any, context: Context) -> bool:
    return not equal(left, right, context)


def _both(left: Any, right: Any, context: Context) -> bool:
    return not is_false(left) and not is_false(right)


def _either(left: Any, right: Any, context: Context) -> bool:
    return not is_false(left) or not is_false(right)


COMPARISONS: dict[str, Operator] = {
    "==": equal, "!=": _unequal, "contains": contains, ">": _ordered(operator.gt), "<": _ordered(operator.lt),
    ">=": _ordered(operator.ge), "<=": _ordered(operator.le),
}  # fmt: skip
JOINING: dict[str, Operator] = {"and": _both, "or": _either}
