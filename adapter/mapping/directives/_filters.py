"""Which items `@filter` keeps: tests by path, all of which must hold.

`{"$.category": "Kitchen", "$.price": {"at_least": 10}}`. A value that is missing or of another type
passes no test but `exists: false`, also none that is negated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.errors import MappingError
from adapter.files.problems import did_you_mean
from adapter.mapping.engine import paths
from adapter.mapping.engine.values import UNDEFINED, is_number, type_of

Test = Callable[[Any], bool]


def _equal(value: Any, wanted: Any) -> bool:
    return type_of(value) == type_of(wanted) and value == wanted


def _comparing(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def made(bound: Any) -> Test:
        if is_number(bound):
            return lambda value: is_number(value) and compare(value, bound)
        return lambda value: type(value) is str and type(bound) is str and compare(value, bound)

    return made


_TESTS: dict[str, Callable[[Any], Test]] = {
    "equals": lambda wanted: lambda value: _equal(value, wanted),
    "not": lambda wanted: lambda value: type_of(value) == type_of(wanted) and value != wanted,
    "in": lambda wanted: lambda value: any(_equal(value, one) for one in _listed(wanted)),
    "not_in": lambda wanted: (
        lambda value: (
            any(type_of(value) == type_of(one) for one in _listed(wanted))
            and not any(_equal(value, one) for one in _listed(wanted))
        )
    ),
    "exists": lambda wanted: lambda value: (value is not UNDEFINED and value is not None) is bool(wanted),
    "contains": lambda wanted: lambda value: type(value) is str and type(wanted) is str and wanted in value,
    "at_least": _comparing(lambda value, bound: bool(value >= bound)),
    "at_most": _comparing(lambda value, bound: bool(value <= bound)),
    "above": _comparing(lambda value, bound: bool(value > bound)),
    "below": _comparing(lambda value, bound: bool(value < bound)),
}


def _listed(wanted: Any) -> list[Any]:
    return wanted if type(wanted) is list else []


def predicate(where: Any) -> Test:
    """Return the tests as one function of an item; raises MappingError for tests that are none."""
    for _, message, _ in problems(where):
        raise MappingError(f"@filter: {message}")
    tests = [
        (paths.without_root(path), _TESTS[name](wanted))
        for path, asked in where.items()
        for name, wanted in (asked.items() if type(asked) is dict else [("equals", asked)])
    ]
    return lambda item: all(holds(paths.get(item, path)) for path, holds in tests)


def is_constant(where: Any) -> bool:
    """Tell whether the tests hold no directive, so that they can be made once."""
    if type(where) is dict:
        return all(key[:1] != "@" and is_constant(value) for key, value in where.items())
    return all(map(is_constant, where)) if type(where) is list else True


def problems(where: Any) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield what is wrong with the tests: path below them, message, remedy."""
    if type(where) is not dict or not where or any(key[:1] == "@" for key in where):
        yield (), "`where` is an object of paths and tests", 'write {"$.category": "Kitchen"}'
        return
    for path, asked in where.items():
        if type(asked) is dict and not any(key[:1] == "@" for key in asked):
            for name in asked:
                if name not in _TESTS:
                    yield (path, name), f"`{name}` is not a test", did_you_mean(name, _TESTS)
