"""Many subscriptions at once: those that a message's type and event name rule out are never looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from adapter.mapping.subscriptions.ast import Condition, Group
from adapter.mapping.subscriptions.evaluate import Predicate, compile_subscription

#: The texts that a field must be one of, or None where it may be anything.
_Wanted = frozenset[str] | None


class SubscriptionIndex:
    """Finds which of many subscriptions take a message.

    Subscriptions are filed under the types and event names they ask for. A message's bucket is made when
    a type and event are first seen, and there are no more buckets than types and events that are asked for.
    """

    def __init__(self, subscriptions: Sequence[Group]) -> None:
        self._predicates = [_remaining(ast) for ast in subscriptions]
        self._wanted = [(_wanted(ast, "type"), _wanted(ast, "event")) for ast in subscriptions]
        self._types = _named(types for types, _ in self._wanted)
        self._events = _named(events for _, events in self._wanted)
        self._buckets: dict[tuple[str | None, str | None], tuple[tuple[int, Predicate | None], ...]] = {}

    def candidates(self, message: dict[str, Any]) -> list[int]:
        """Return the places of the subscriptions that take the message, in order."""
        kind = message.get("type")
        event = message.get("event")
        known = (
            kind if type(kind) is str and kind in self._types else None,
            event if type(event) is str and event in self._events else None,
        )
        bucket = self._buckets.get(known)
        if bucket is None:
            bucket = self._buckets[known] = self._bucket(*known)
        return [place for place, holds in bucket if holds is None or holds(message)]

    def _bucket(self, kind: str | None, event: str | None) -> tuple[tuple[int, Predicate | None], ...]:
        return tuple(
            (place, self._predicates[place])
            for place, (types, events) in enumerate(self._wanted)
            if (types is None or kind in types) and (events is None or event in events)
        )


def _named(wanted: Iterable[_Wanted]) -> frozenset[str]:
    return frozenset(text for texts in wanted for text in texts or ())


def _wanted(ast: Group | Condition, field: str) -> _Wanted:
    if isinstance(ast, Condition):
        if ast.field == field and ast.operator == "=":
            return frozenset((str(ast.value),))
        return None
    found = [_wanted(child, field) for child in ast.children]
    asked = [texts for texts in found if texts is not None]
    if ast.operator == "and":
        return frozenset.intersection(*asked) if asked else None
    return frozenset.union(*asked) if asked and len(asked) == len(found) else None


def _remaining(ast: Group) -> Predicate | None:
    """Return what is left to test once the bucket is right: None where that says it all."""
    if ast.operator == "or" and len(ast.children) > 1:
        fields = {child.field if _is_filed(child) else "" for child in ast.children}  # type: ignore[union-attr]
        return None if len(fields) == 1 and "" not in fields else compile_subscription(ast)
    left = tuple(child for child in ast.children if not _is_settled(child))
    return compile_subscription(Group("and", left)) if left else None


def _is_filed(ast: Group | Condition) -> bool:
    return isinstance(ast, Condition) and ast.field in ("type", "event") and ast.operator == "="


def _is_settled(ast: Group | Condition) -> bool:
    if isinstance(ast, Condition):
        return _is_filed(ast)
    return ast.operator == "or" and _remaining(ast) is None
