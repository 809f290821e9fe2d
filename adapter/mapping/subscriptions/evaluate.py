"""Subscriptions as functions of a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from adapter.errors import MappingError
from adapter.mapping.engine.javascript import as_double, text, to_number
from adapter.mapping.engine.paths import step
from adapter.mapping.engine.values import UNDEFINED, is_number
from adapter.mapping.subscriptions.ast import Condition, Group
from adapter.mapping.subscriptions.parser import parse
from adapter.model.spelling import spelling

Predicate = Callable[[dict[str, Any]], bool]
_PARTS = re.compile(r"[^\[.\]]+")


@lru_cache(maxsize=1024)
def _compiled(subscribe: str) -> Predicate:
    return compile_subscription(parse(subscribe))


def matches(subscribe: str, message: dict[str, Any]) -> bool:
    """Tell whether a subscription takes a message.

    Raises SubscriptionError for a bad subscription, MappingError for a message that is null. Other
    messages that are no objects have no fields, as in the reference.
    """
    holds = _compiled(subscribe)
    if message is None:
        raise MappingError("a message must be an object, got null")
    return holds(message if type(message) is dict else {})


def compile_subscription(ast: Group | Condition) -> Predicate:
    """Return the subscription as a function of the message."""
    if isinstance(ast, Condition):
        return _condition(ast)
    children = [compile_subscription(child) for child in ast.children]
    if len(children) == 1:
        return children[0]
    return _every(children) if ast.operator == "and" else _some(children)


def _every(children: list[Predicate]) -> Predicate:
    if len(children) == 2:
        first, second = children
        return lambda message: first(message) and second(message)

    def every(message: dict[str, Any]) -> bool:
        for child in children:  # noqa: SIM110 - a loop is faster than all() over a generator
            if not child(message):
                return False
        return True

    return every


def _some(children: list[Predicate]) -> Predicate:
    def some(message: dict[str, Any]) -> bool:
        for child in children:  # noqa: SIM110
            if child(message):
                return True
        return False

    return some


def _condition(condition: Condition) -> Predicate:
    test = _test(condition)
    field = condition.field
    if not condition.name:
        return lambda message: test(message.get(field, UNDEFINED))
    path = _PARTS.findall(condition.name)
    if len(path) == 1:
        return _one_below(field, path[0], test)

    def below(message: dict[str, Any]) -> bool:
        value = message.get(field, UNDEFINED)
        for key in path:
            if value is UNDEFINED:
                break
            value = value.get(key, UNDEFINED) if type(value) is dict else step(value, key)
        return test(value)

    return below


def _one_below(field: str, key: str, test: Callable[[Any], bool]) -> Predicate:
    def below(message: dict[str, Any]) -> bool:
        members = message.get(field, UNDEFINED)
        return test(members.get(key, UNDEFINED) if type(members) is dict else step(members, key))

    return below


def _test(condition: Condition) -> Callable[[Any], bool]:
    sought: Any = condition.value
    match condition.operator:
        case "=":
            sought = text(sought)
            return lambda value: type(value) is str and value == sought
        case "!=":
            sought = text(sought)
            return lambda value: type(value) is not str or value != sought
        case "spelled":
            wanted = spelling(str(sought))
            return lambda value: type(value) is str and spelling(value) == wanted
        case "exists":
            return lambda value: value is not UNDEFINED and value is not None
        case "not_exists":
            return lambda value: value is UNDEFINED or value is None
        case "is_true":
            return lambda value: value is True
        case "is_false":
            return lambda value: value is False
        case "contains" | "starts_with" | "ends_with":
            return _text_test(condition.operator, str(sought))
        case "not_contains" | "not_starts_with" | "not_ends_with":
            holds = _text_test(condition.operator[4:], str(sought))
            return lambda value: type(value) is str and not holds(value)
    return _number_test(condition.operator, to_number(sought))


def _text_test(operator: str, sought: str) -> Callable[[Any], bool]:
    if operator == "contains":
        return lambda value: type(value) is str and sought in value
    if operator == "starts_with":
        return lambda value: type(value) is str and value.startswith(sought)
    return lambda value: type(value) is str and value.endswith(sought)


def _number_test(operator: str, bound: float) -> Callable[[Any], bool]:
    compare: dict[str, Callable[[float], bool]] = {
        "number_equals": lambda number: number == bound,
        "number_not_equals": lambda number: number != bound,
        "<": lambda number: number < bound,
        "<=": lambda number: number <= bound,
        ">": lambda number: number > bound,
        ">=": lambda number: number >= bound,
    }
    holds = compare[operator]
    return lambda value: is_number(value) and holds(as_double(value))
