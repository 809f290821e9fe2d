"""Whether any message can match a subscription, and one that would.

A subscription is and/or over tests of single fields, so each way to satisfy it is a list of tests that
must all hold. Such a list can hold when, field by field, some value passes all of its tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

from adapter.mapping.subscriptions import Condition, Group, compile_subscription
from adapter.model.sources import SOURCES

#: Ways beyond this many are not looked at; no subscription written by hand comes near.
_MOST_WAYS = 2000
#: And so many tests of one field.
_MOST_TESTS = 32
_MISSING = object()
_NUMBERS = ("number_equals", "number_not_equals", "<", "<=", ">", ">=")
_TEXTS = ("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with")


def ways(*subscriptions: Group | Condition) -> Iterator[tuple[Condition, ...]]:
    """Yield lists of conditions, each of which would satisfy all the subscriptions."""
    for index, way in enumerate(product(*(list(_ways(ast)) for ast in subscriptions))):
        if index == _MOST_WAYS:
            return
        yield tuple(condition for part in way for condition in part)


def _ways(ast: Group | Condition) -> Iterator[tuple[Condition, ...]]:
    if isinstance(ast, Condition):
        yield (ast,)
    elif ast.operator == "and":
        yield from ways(*ast.children)
    else:
        for child in ast.children:
            yield from _ways(child)


def contradiction(way: Sequence[Condition]) -> Condition | None:
    """Return a condition that cannot hold together with those before it, or None."""
    fields: dict[tuple[str, str], list[Condition]] = {}
    for condition in way:
        tests = fields.setdefault((condition.field, condition.name), [])
        tests.append(condition)
        if len(tests) <= _MOST_TESTS and _value(tests) is _MISSING:
            return condition
    return None


def types_of(source: str, way: Sequence[Condition]) -> list[str]:
    """Return the types of the source's messages that can satisfy the conditions.

    A type can when it passes the tests of `type`, and has every member that must be there for a test to hold.
    """
    tests = [compile_subscription(condition) for condition in way if condition.field == "type"]
    needed = {condition.field for condition in way if not _holds_without(condition)}
    return [
        kind
        for kind, members in SOURCES[source].types.items()
        if needed.issubset(members) and all(holds({"type": kind}) for holds in tests)
    ]


def _holds_without(condition: Condition) -> bool:
    return compile_subscription(condition)({})


def sample(way: Sequence[Condition]) -> dict[str, Any]:
    """Return a message that satisfies the conditions; they must not contradict each other."""
    message: dict[str, Any] = {}
    fields: dict[tuple[str, str], list[Condition]] = {}
    for condition in way:
        fields.setdefault((condition.field, condition.name), []).append(condition)
    for (field, name), tests in fields.items():
        value = _value(tests[:_MOST_TESTS])
        if value is not None:
            _put(message, (field, *name.split(".")) if name else (field,), value)
    return message


def _put(message: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        inner = message.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        message = inner
    message[path[-1]] = value


def _value(tests: Sequence[Condition]) -> Any:
    """Return a value of one field that passes all its tests, or _MISSING where there is none."""
    holds = [compile_subscription(Condition(field="event", operator=test.operator, value=test.value))
             for test in tests]  # fmt: skip
    for candidate in _candidates(tests):
        if all(hold({"event": candidate}) for hold in holds):
            return candidate
    return _MISSING


def _candidates(tests: Sequence[Condition]) -> Iterator[Any]:
    """Yield values worth trying: those that the tests name, their neighbours, and one of each type."""
    yield from (str(test.value) for test in tests if test.operator in ("=", "spelled"))
    numbers = sorted({_number(test.value) for test in tests if test.operator in _NUMBERS})
    for bound in numbers:
        yield from (bound, bound + 1, bound - 1)
    yield from ((low + high) / 2 for low, high in pairwise(numbers))
    texts = [str(test.value) for test in tests if test.operator in _TEXTS]
    starts = "".join(str(test.value) for test in tests if test.operator == "starts_with")
    ends = "".join(str(test.value) for test in tests if test.operator == "ends_with")
    inner = "".join(str(test.value) for test in tests if test.operator == "contains")
    yield from (*texts, starts + inner + ends, "any text", "~", True, False, 0, {}, None)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
