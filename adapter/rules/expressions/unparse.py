"""Conditions back to text: as names of values read, in explanations, and as keys of equal conditions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from json.encoder import encode_basestring
from typing import Any

from adapter.rules.expressions.durations import window_text
from adapter.rules.expressions.functions import FUNCTIONS
from adapter.rules.expressions.typed_tree import (
    PAST,
    All,
    AnyOf,
    Call,
    Compare,
    Compute,
    Conditional,
    Constant,
    Defined,
    Field,
    Has,
    Item,
    ListOf,
    Macro,
    MapOf,
    Metric,
    Negative,
    Node,
    Not,
    Path,
    Variable,
)

_ROOTS = {"": "", "attributes": "attributes", "traits": "user", "context": "context", "event": "event",
          "now": "now", "element": ""}  # fmt: skip


#: How macros are called that take two variables, where not as those of one.
_TWO_VARIABLES = {"exists_one": "existsOne", "map": "transformList", "transform_map": "transformMap"}


def text(node: Node) -> str:
    """Return an expression that means the node (groups as `&&`, `||` and `!`)."""
    return _text(node)


def _text(node: Node) -> str:  # noqa: PLR0912 - one line for each kind of node
    match node:
        case Constant():
            return _constant(node)
        case Path(root, fields):
            return ".".join((*((_ROOTS[root],) if _ROOTS[root] else ()), *fields))
        case Metric():
            return _metric(node)
        case Variable(name):
            return name
        case Defined(name):
            return name
        case Field(operand, name):
            return f"{_text(operand)}.{name}"
        case Item(operand, index):
            return f"{_text(operand)}[{_text(index)}]"
        case ListOf(items):
            return f"[{', '.join(map(_text, items))}]"
        case MapOf(keys, items):
            entries = zip(keys, map(_text, items), strict=True)
            return f"{{{', '.join(f'{json.dumps(key, ensure_ascii=False)}: {one}' for key, one in entries)}}}"
        case Call(function, arguments):
            return _call(function, arguments)
        case Compare(operator, left, right) | Compute(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Negative(operand):
            return f"-{_inner(operand)}"
        case Conditional(condition, then, otherwise):
            return f"{_inner(condition)} ? {_inner(then)} : {_inner(otherwise)}"
        case Has(operand, field):
            return f"has({_text(operand)}.{field})"
        case Macro():
            return _macro(node)
        case All(parts):
            return " && ".join(map(_inner, parts)) or "true"
        case AnyOf(parts):
            return " || ".join(map(_inner, parts)) or "false"
        case Not(part):
            return f"!{_inner(part)}"
    raise TypeError(node)


def _call(function: str, arguments: tuple[Node, ...]) -> str:
    if FUNCTIONS[function].free:
        return f"{function}({', '.join(map(_text, arguments))})"
    receiver, *rest = arguments
    return f"{_inner(receiver)}.{function}({', '.join(map(_text, rest))})"


def _inner(node: Node) -> str:
    compound = isinstance(node, Compare | Compute | Conditional | All | AnyOf)
    return f"({_text(node)})" if compound else _text(node)


def _macro(node: Macro) -> str:
    rest = (text(part) for part in (node.predicate, node.transform) if part is not None)
    name = _TWO_VARIABLES.get(node.kind, node.kind) if len(node.variables) > 1 else node.kind
    return f"{_inner(node.elements)}.{name}({', '.join((*node.variables, *rest))})"


def _discounts(metric: Metric) -> str:
    words = [metric.event or "any", metric.attribute or "any"]
    if metric.window is not None:
        words.append(window_text(metric.window))
    while words and words[-1] == "any":
        words.pop()
    return f"discounts.count({', '.join(json.dumps(word, ensure_ascii=False) for word in words)})"


def _metric(metric: Metric) -> str:
    if metric.kind == "discounts":
        return _discounts(metric)
    named = (*metric.events, metric.attribute)
    words = [json.dumps(word, ensure_ascii=False) for word in named if word is not None]
    if metric.window is not None:
        words.append(f'"{window_text(metric.window)}"')
    words += past(metric)
    root = "history_with_event" if metric.including else "history"
    return f"{root}.{metric.kind}({', '.join(words)})"


def past(metric: Metric) -> list[str]:
    """Return what a metric asks of each past event, as it is written: its name, a condition, a value."""
    if not metric.derived:
        return []
    parts: list[Node] = []
    if metric.by is not None and metric.equals is not None:
        parts.append(Compare("==", metric.by, metric.equals))
    parts += [] if metric.where is None else [metric.where]
    condition = [_text(parts[0] if len(parts) == 1 else All(tuple(parts)))] if parts else []
    return [PAST, *condition, *([] if metric.value is None else [text(metric.value)])]


def _constant(node: Constant) -> str:
    if node.kind == "list":
        return f"[{', '.join(map(_constant, node.value))}]"
    if isinstance(node.value, datetime):
        return f'timestamp("{_moment(node.value)}")'
    if isinstance(node.value, timedelta):
        return f'duration("{node.value.total_seconds():g}s")'
    return json.dumps(node.value, ensure_ascii=False)


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def show(value: Any) -> str:
    """Return a value as a marketer reads it: money with two digits, texts quoted, at most 80 characters."""
    if value.__class__ is float:
        cents = f"{value:.2f}"
        return cents if float(cents) == value else repr(value)
    written = _JSON.get(value.__class__)
    if written is None:
        return _other(value)
    shown = written(value)
    return shown if len(shown) <= 80 else f'{shown[:78]}…"'


_JSON: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: repr,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
}


def _other(value: Any) -> str:
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, timedelta):
        return window_text(value)
    if isinstance(value, list | tuple):
        if value and all(isinstance(element, dict) for element in value):
            return f"a list of {len(value)} object{'s' * (len(value) > 1)}"
        shown = [show(element) for element in value[:6]]
        more = [f"and {len(value) - 6} more"] if len(value) > 6 else []
        return ", ".join(shown + more) or "an empty list"
    return "an object" if isinstance(value, dict) else f"{float(value):.2f}"
