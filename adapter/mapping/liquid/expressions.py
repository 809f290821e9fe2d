"""Reads conditions and filters into functions that compute them from a context.

The grammar is the part of liquidjs's in which every word has an effect. liquidjs drops what it cannot place
(the `b` of `{{ a b }}`); here that is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping.engine.values import UNDEFINED
from adapter.mapping.liquid import filters
from adapter.mapping.liquid.comparing import COMPARISONS, JOINING, Operator
from adapter.mapping.liquid.context import Context
from adapter.mapping.liquid.operands import Constant, Expression, value
from adapter.mapping.liquid.reading import Reader
from adapter.mapping.liquid.values import is_false

#: Reads one operand of a chain of operators.
_Operand = Callable[[Reader], Expression]
#: What a filter makes of a value.
_Step = Callable[[Context, Any], Any]


@dataclass(slots=True)
class Found:
    """What the check asks of a template: the filters that it names, and its doubtful places."""

    filters: set[str] = field(default_factory=set)
    doubts: set[tuple[str, str]] = field(default_factory=set)


def filtered(reader: Reader, found: Found) -> Expression:
    """Read a condition or a value, and the filters that it passes through, to the end of the stretch."""
    if not reader.blanks() or reader.text[reader.at] == "|":
        raise reader.fail(f"invalid value expression: {reader.rest()}")
    first = _condition(reader)
    steps: list[_Step] = []
    while reader.blanks():
        if not reader.next("|"):
            raise reader.fail('expected "|" before filter', reader.at + 1)
        steps.append(_filter(first if not steps else None, reader, found))
    return _through(first, steps) if steps else first


def _through(first: Expression, steps: list[_Step]) -> Expression:
    def through(context: Context) -> Any:
        made = first(context)
        for step in steps:
            made = step(context, made)
        return made

    return through


def _condition(reader: Reader) -> Expression:
    return _chain(reader, JOINING, _negated)


def _negated(reader: Reader) -> Expression:
    times = 0
    before = reader.at
    while reader.operator() == "not":
        times += 1
        before = reader.at
    reader.at = before
    inner = _chain(reader, COMPARISONS, value)
    return inner if not times else lambda context: is_false(inner(context)) == (times % 2 == 1)


def _chain(reader: Reader, operators: dict[str, Operator], operand: _Operand) -> Expression:
    """Read operands with operators between them, which liquidjs applies from right to left."""
    operands = [operand(reader)]
    applied: list[Operator] = []
    before = reader.at
    while (found := operators.get(reader.operator() or "")) is not None:
        applied.append(found)
        operands.append(operand(reader))
        before = reader.at
    reader.at = before
    if not applied:
        return operands[0]

    def chained(context: Context) -> Any:
        *values, made = [one(context) for one in operands]
        for one, left in zip(reversed(applied), reversed(values), strict=True):
            made = one(left, made, context)
        return made

    return chained


def _filter(before: Expression | None, reader: Reader, found: Found) -> _Step:
    name = reader.name()
    if not name:
        raise reader.fail("expected filter name")
    positional, named = _arguments(reader)
    written = [part.value if isinstance(part, Constant) else UNDEFINED for part in (before, *positional)]
    found.filters.add(name)
    found.doubts.update(filters.doubts(name, written, named))
    run = filters.find(name)
    if not named:
        return lambda context, made: run(context, made, *[one(context) for one in positional])
    return lambda context, made: run(
        context,
        made,
        *[one(context) for one in positional],
        **{key: one(context) for key, one in named.items()},
    )


def _arguments(reader: Reader) -> tuple[list[Expression], dict[str, Expression]]:
    positional: list[Expression] = []
    named: dict[str, Expression] = {}
    if _ended(reader):
        return positional, named
    if not reader.next(":"):
        raise reader.fail('expected ":" after filter name')
    while True:
        reader.blanks()
        start = reader.at
        argument = value(reader)
        name = reader.text[start : reader.at]
        if reader.blanks() and reader.next(":"):
            named[name] = value(reader)
        else:
            positional.append(argument)
        if _ended(reader):
            return positional, named
        if not reader.next(","):
            raise reader.fail(f"unexpected character {reader.rest()}")


def _ended(reader: Reader) -> bool:
    return not reader.blanks() or reader.text[reader.at] == "|"
