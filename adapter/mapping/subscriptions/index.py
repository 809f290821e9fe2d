"""Many subscriptions at once: those that a message's type and event name rule out are never looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapter.mapping.engine.javascript import text
from adapter.mapping.subscriptions.ast import Condition, Group
from adapter.mapping.subscriptions.evaluate import Predicate, compile_subscription
from adapter.model.spelling import spelling

#: By test, what a message has for it; None means a value that no subscription asks for.
_Known = dict[str, str | None]
#: The places of the subscriptions that may take a message, each with what is left to test, if anything.
_Bucket = list[tuple[int, Predicate | None]]


class SubscriptionIndex:
    """Finds which of many subscriptions take a message.

    What subscriptions say of type and event name is settled once for each type and event they ask for, when
    a message first has them; the rest is tested on each message. There are no more buckets than types and
    events that are asked for.
    """

    def __init__(self, subscriptions: Sequence[Group]) -> None:
        self._subscriptions = subscriptions
        asked = [pair for ast in subscriptions for pair in _asked(ast)]
        self._types = frozenset(value for test, value in asked if test == "type")
        self._events = frozenset(value for test, value in asked if test == "event")
        self._spellings = frozenset(value for test, value in asked if test == "spelled")
        self._buckets: dict[tuple[str | None, str | None, str | None], _Bucket] = {}

    def candidates(self, message: dict[str, Any]) -> list[int]:
        """Return the places of the subscriptions that take the message, in order."""
        kind = message.get("type")
        event = message.get("event")
        spelled = None
        if type(event) is str:
            spelled = spelling(event) if self._spellings else None
        known = (
            kind if type(kind) is str and kind in self._types else None,
            event if type(event) is str and event in self._events else None,
            spelled if spelled in self._spellings else None,
        )
        bucket = self._buckets.get(known)
        if bucket is None:
            settled = dict(zip(("type", "event", "spelled"), known, strict=True))
            bucket = self._buckets[known] = self._bucket(settled)
        return [place for place, holds in bucket if holds is None or holds(message)]

    def _bucket(self, known: _Known) -> _Bucket:
        left = [(place, _settled(ast, known)) for place, ast in enumerate(self._subscriptions)]
        return [
            (place, None if rest is True else compile_subscription(rest))
            for place, rest in left
            if rest is not False
        ]


def _asked(ast: Group | Condition) -> Iterator[tuple[str, str]]:
    """Yield the tests that a bucket settles, each as in `_Known`, with the value asked for."""
    if isinstance(ast, Group):
        for child in ast.children:
            yield from _asked(child)
    elif ast.operator == "spelled":
        yield "spelled", spelling(str(ast.value))
    elif ast.operator in ("=", "!="):
        yield ast.field, text(ast.value)


def _settled(ast: Group | Condition, known: _Known) -> Group | Condition | bool:
    """Return whether a subscription holds, or what is left of it to test once type and event are known."""
    if isinstance(ast, Condition):
        if ast.operator == "spelled":
            return known["spelled"] == spelling(str(ast.value))
        if ast.field not in known or ast.operator not in ("=", "!="):
            return ast
        return (known[ast.field] == text(ast.value)) is (ast.operator == "=")
    decides = ast.operator == "or"
    left: list[Group | Condition] = []
    for child in ast.children:
        rest = _settled(child, known)
        if rest is decides:
            return decides
        if not isinstance(rest, bool):
            left.append(rest)
    return Group(ast.operator, tuple(left)) if left else not decides
