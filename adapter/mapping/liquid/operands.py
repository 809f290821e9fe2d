"""Reads the values of a template: literals, text, numbers, ranges and paths.

liquidjs drops what it cannot place (the `b` of `{{ a[b c] }}`); here that is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.mapping.engine import javascript
from adapter.mapping.engine.values import UNDEFINED
from adapter.mapping.liquid.context import ITEM, Context
from adapter.mapping.liquid.reading import Reader
from adapter.mapping.liquid.values import BLANK, EMPTY, NULL, member, number, plain

#: A part of a template that gives a value.
Expression = Callable[[Context], Any]

_LITERALS: dict[str, Any] = {
    "true": True, "false": False, "nil": NULL, "null": NULL, "empty": EMPTY, "blank": BLANK,
}  # fmt: skip
#: Brackets within brackets.
_DEEPEST = 30


@dataclass(slots=True)
class Constant:
    """A value that is written in the template."""

    value: Any

    def __call__(self, context: Context) -> Any:
        """Return the value."""
        return self.value


def value(reader: Reader, depth: int = 0) -> Expression:
    """Read one value: a literal, text, a number, a range, or a path; raises Unreadable when there is none."""
    made = _optional(reader, depth)
    if made is None:
        raise reader.fail(f"unexpected token {reader.rest()}, value expected")
    return made


def _optional(reader: Reader, depth: int = 0) -> Expression | None:
    """Read one value, if one comes next."""
    reader.blanks()
    if depth > _DEEPEST:
        raise reader.fail(f"brackets nested more than {_DEEPEST} deep")
    if (word := reader.literal()) is not None:
        return Constant(_LITERALS[word])
    if (text := reader.quoted()) is not None:
        return _path(Constant(text), _steps(reader, depth))
    if reader.next("("):
        return _path(_range(reader, depth), _steps(reader, depth))
    if (digits := reader.number()) is not None:
        return Constant(_number(digits))
    if name := reader.name():
        return _path(lambda context: context.root(name), _steps(reader, depth))
    steps = _steps(reader, depth)
    return _bracketed(steps) if steps else None


def _number(digits: str) -> float:
    double = float(digits)
    return int(double) if double.is_integer() and abs(double) < 2**53 else double


def _range(reader: Reader, depth: int) -> Expression:
    low = value(reader, depth + 1)
    reader.blanks()
    if not reader.next(".."):
        raise reader.fail("invalid range syntax")
    high = value(reader, depth + 1)
    reader.blanks()
    if not reader.next(")"):
        raise reader.fail("invalid range syntax")
    return lambda context: _counted(number(low(context)), number(high(context)), context)


def _counted(low: float, high: float, context: Context) -> list[Any]:
    context.use((high - low + 1) * ITEM)
    made: list[Any] = []
    while low < high + 1:
        made.append(low)
        low += 1
    return made


def _steps(reader: Reader, depth: int) -> list[Expression]:
    steps: list[Expression] = []
    while True:
        if reader.next("["):
            steps.append(value(reader, depth + 1))
            reader.blanks()
            if not reader.next("]"):
                raise reader.fail("[ not closed")
        elif not reader.text.startswith("..", reader.at, reader.end) and reader.next("."):
            if not (name := reader.name()):
                raise reader.fail(f"a name is missing after the dot: {reader.rest()}")
            steps.append(Constant(name))
        else:
            return steps


def _path(root: Expression, steps: list[Expression]) -> Expression:
    if not steps:
        return root

    def walked(context: Context) -> Any:
        made = root(context)
        for step in steps:
            made = member(made, step(context))
        return made

    return walked


def path(text: str) -> Expression:
    """Read a path without an operator, as the property that a filter is given; raises Unreadable."""
    reader = Reader(text, 0, len(text))
    reader.blanks()
    name = reader.name()
    steps = _steps(reader, 0)
    if reader.blanks():
        raise reader.fail(f"`{text}` is no path")
    if not name:
        return _bracketed(steps) if steps else Constant(UNDEFINED)
    return _path(lambda context: context.root(name), steps)


def _bracketed(steps: list[Expression]) -> Expression:
    first = steps[0]
    return _path(lambda context: context.root(javascript.text(plain(first(context)))), steps[1:])
