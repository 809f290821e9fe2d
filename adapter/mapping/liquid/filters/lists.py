"""Filters of lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED, is_number, is_truthy
from adapter.mapping.liquid.comparing import equal
from adapter.mapping.liquid.context import Context, Failed
from adapter.mapping.liquid.operands import path
from adapter.mapping.liquid.reading import Unreadable
from adapter.mapping.liquid.values import (
    Literal,
    element,
    integer,
    is_false,
    is_nil,
    items,
    length,
    member,
    number,
    plain,
    shown,
    units,
)  # fmt: skip


def _join(context: Context, value: Any, separator: Any = UNDEFINED) -> str:
    between = " " if is_nil(separator) else shown(separator)
    parts = ["" if is_nil(item) else javascript.text(item) for item in items(value)]
    context.use(len(between) * max(len(parts) - 1, 0) + sum(map(len, parts)))
    return between.join(parts)


def _ending(index: int) -> Callable[[Context, Any], Any]:
    """Return the filter of the first or the last item: of a list, a text, or an object with a length."""
    return lambda context, value: element(value, index) if value != "" and is_number(length(value)) else ""


def _size(context: Context, value: Any) -> Any:
    found = length(value)
    return found if is_truthy(found) else 0


def _sum(context: Context, value: Any, name: Any = UNDEFINED) -> float:
    total = 0.0
    for item in items(value):
        counted = item
        if is_truthy(name):
            for step in shown(name).split("."):
                counted = member(counted, step)
        found = number(counted)
        total += 0.0 if math.isnan(found) else found
    return total


def _compact(context: Context, value: Any) -> list[Any]:
    return [item for item in items(value) if not is_nil(plain(item))]


def _push(context: Context, value: Any, item: Any = UNDEFINED) -> list[Any]:
    return [*items(value), _storable(item)]


def _unshift(context: Context, value: Any, item: Any = UNDEFINED) -> list[Any]:
    return [_storable(item), *items(value)]


def _storable(item: Any) -> Any:
    if type(item) is Literal:
        raise Failed(f"the word `{item.name}` cannot be put into a list here")
    return item


def _pop(context: Context, value: Any) -> list[Any]:
    return items(value)[:-1]


def _shift(context: Context, value: Any) -> list[Any]:
    return items(value)[1:]


def _slice(context: Context, value: Any, begin: Any = UNDEFINED, count: Any = UNDEFINED) -> Any:
    if is_nil(value):
        return []
    whole = value if type(value) is list else units(shown(value))
    count = 1 if count is UNDEFINED else count
    if number(begin) < 0:
        begin = _added(len(whole), begin)
    if number(begin) < 0 or number(count) < 0:
        return whole[:0]
    context.use(number(count))
    start, stop = integer(begin), integer(_added(begin, count))
    return whole[_place(start, whole) : _place(stop, whole)]


def _added(one: Any, two: Any) -> Any:
    """Return `one + two`, which joins where one of them is text."""
    texts = (str, list, dict)
    if type(one) in texts or type(two) in texts:
        return javascript.text(one) + javascript.text(two)
    return number(one) + number(two)


def _place(index: float, whole: Any) -> int:
    return int(max(0.0, len(whole) + index) if index < 0 else min(index, len(whole)))


def _where(context: Context, value: Any, name: Any = UNDEFINED, expected: Any = UNDEFINED) -> list[Any]:
    try:
        found = path(shown(name))
    except Unreadable as error:
        raise Failed(error.message) from None
    return [item for item in items(value) if _matches(_found(found, item, context), expected, context)]


def _found(found: Callable[[Context], Any], item: Any, context: Context) -> Any:
    inner = Context(item)
    inner.made = context.made
    made = found(inner)
    context.made = inner.made
    return made


def _matches(found: Any, expected: Any, context: Context) -> bool:
    return not is_false(found) if expected is UNDEFINED else equal(found, expected, context)


FILTERS: dict[str, Callable[..., Any]] = {
    "join": _join, "first": _ending(0), "last": _ending(-1), "size": _size, "sum": _sum, "compact": _compact,
    "push": _push, "unshift": _unshift, "pop": _pop, "shift": _shift, "slice": _slice, "where": _where,
}  # fmt: skip
