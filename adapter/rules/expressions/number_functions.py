"""Functions of numbers and of lists: cel-go ext/README.md "Math" and "Lists"; none can raise.

Numbers are exact, and so are results. `sum`, `min` and `max` of a list are those of Kubernetes' CEL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from adapter.rules.expressions.function_contract import LIST, NUMBER, Function
from adapter.rules.expressions.text_functions import whole_number
from adapter.rules.expressions.values import (
    ABSENT,
    MAX_ELEMENTS,
    NUMBERS,
    ORDERED,
    added,
    exact,
    kind_of,
    settled,
)


def _numbers(values: Any) -> list[Any] | None:
    """Return the numbers of a list, exact; None for anything else."""
    if values.__class__ not in (list, tuple) or len(values) > MAX_ELEMENTS:
        return None
    read = [settled(value) for value in values]
    return [exact(value) for value in read] if all(value.__class__ in NUMBERS for value in read) else None


def total(values: Any) -> Any:
    """Return the sum of a list of numbers, 0 of an empty one."""
    numbers = _numbers(values)
    return ABSENT if numbers is None else added(numbers)


def _extreme(choose: Callable[[Sequence[Any]], Any]) -> Callable[..., Any]:
    """Return the least or greatest of a list, or of arguments; of none it is ABSENT."""

    def chosen(*values: Any) -> Any:
        one = values[0] if len(values) == 1 else None
        numbers = _numbers(one if one.__class__ in (list, tuple) else values)
        return settled(choose(numbers)) if numbers else ABSENT

    return chosen


def _rounded(run: Callable[[Any], int]) -> Callable[[Any], Any]:
    return lambda value: run(exact(value)) if value.__class__ in NUMBERS else ABSENT


def _half_away(number: Any) -> int:
    """Round to a whole number, a half away from zero."""
    half = Fraction(1, 2)
    return int(math.floor(number + half) if number >= 0 else math.ceil(number - half))


def distinct(values: Any) -> Any:
    """Return a list without what it has twice, in its order."""
    if values.__class__ not in (list, tuple) or len(values) > MAX_ELEMENTS:
        return ABSENT
    found = {_key(value, 0): value for value in reversed([settled(value) for value in values])}
    return list(reversed(list(found.values()))) if None not in found else ABSENT


def _key(value: Any, depth: int) -> Any:
    """Return a value as a key that equal values share; None for one that nests too deep."""
    value = settled(value)
    kind = kind_of(value)
    if depth > _DEEPEST or kind is None:
        return None
    if kind == "list":
        return kind, tuple(_key(each, depth + 1) for each in value)
    if kind == "object":
        return kind, frozenset((name, _key(each, depth + 1)) for name, each in value.items())
    return kind, exact(value) if kind == "number" else value


#: How deep elements of `distinct` may nest.
_DEEPEST = 64


def ordered(values: Any) -> Any:
    """Return a list in ascending order; its elements are of one kind that has an order."""
    if values.__class__ not in (list, tuple) or len(values) > MAX_ELEMENTS:
        return ABSENT
    read = [settled(value) for value in values]
    kinds = {kind_of(value) for value in read}
    if not read:
        return []
    if len(kinds) != 1 or not kinds <= ORDERED:
        return ABSENT
    return sorted(read, key=exact)


def part(values: Any, start: Any, end: Any) -> Any:
    """Return the elements from a place up to before another, counted from 0; outside it is an error."""
    first, last = whole_number(start), whole_number(end)
    if values.__class__ not in (list, tuple) or first is None or last is None:
        return ABSENT
    return list(values[first:last]) if 0 <= first <= last <= len(values) else ABSENT


def _of_number(run: Callable[[Any], int]) -> Function:
    return Function(_rounded(run), (NUMBER,), "number", method=False, free=True)


def _of_numbers(choose: Callable[[Sequence[Any]], Any]) -> Function:
    return Function(_extreme(choose), (("number", "list"),), "number", method=False, free=True, repeated=True)


NUMBER_FUNCTIONS: dict[str, Function] = {
    "math.greatest": _of_numbers(max),
    "math.least": _of_numbers(min),
    "math.round": _of_number(_half_away),
    "math.floor": _of_number(math.floor),
    "math.ceil": _of_number(math.ceil),
    "math.abs": Function(
        lambda value: settled(abs(exact(value))) if value.__class__ in NUMBERS else ABSENT,
        (NUMBER,), "number", method=False, free=True,
    ),
    "sum": Function(total, (LIST,), "number"),
    "min": Function(_extreme(min), (LIST,), "number"),
    "max": Function(_extreme(max), (LIST,), "number"),
    "distinct": Function(distinct, (LIST,), "list"),
    "sort": Function(ordered, (LIST,), "list"),
    "slice": Function(part, (LIST, NUMBER, NUMBER), "list"),
}  # fmt: skip
