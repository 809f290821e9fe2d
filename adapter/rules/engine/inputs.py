"""What one evaluation read: the values that a decision is kept with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from adapter.rules.expressions import EvaluationContext, Metric, Path, text
from adapter.rules.expressions.values import ABSENT, settled

#: Not values but places, which `has()` looks into.
_WHOLE = frozenset(("attributes", "user", "context", "event"))
#: Where a single name is looked up; a bare one in each of them in turn.
_PLACES = ("attributes", "traits", "context")
_PLAIN = frozenset((str, int, bool, type(None), list, dict))


class Seen:
    """Tells what an evaluation read, by name, as plain JSON.

    `paths` are those that the index reads; the others are in the view's values. What is missing is left
    out, and whole objects that `has()` looked into.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = frozenset(paths)
        named = [(name, path) for path in paths if (name := text(path)) not in _WHOLE]
        bare = [(name, path) for name, path in named if path.root == "" and len(path.fields) == 1]
        self._bare = [(name, path.fields[0]) for name, path in bare]
        placed = [(name, path) for name, path in named if path.root in _PLACES and len(path.fields) == 1]
        self._placed = [(name, _PLACES.index(path.root), path.fields[0]) for name, path in placed]
        self._others = [each for each in named if each not in bare and each not in placed]

    def of(self, view: EvaluationContext) -> dict[str, Any]:
        """Return the values that are there."""
        read: dict[str, Any] = {}
        places = attributes, traits, context = view.attributes, view.traits, view.context
        for name, field in self._bare:
            place = attributes if field in attributes else traits if field in traits else context
            if field in place:
                read[name] = _raw(place[field])
        for name, at, field in self._placed:
            place = places[at]
            if field in place:
                read[name] = _raw(place[field])
        values = view.values
        for name, path in self._others:
            value = values[path]
            if value is not ABSENT:
                read[name] = _plain(value)
        self._add_beside(read, values)
        return read

    def _add_beside(self, read: dict[str, Any], values: Mapping[Path | Metric, Any]) -> None:
        """Add what was read past the index: figures, and what segments look at."""
        paths = self._paths
        for key, value in values.items():
            if value is not ABSENT and key not in paths:
                name = _name(key)
                if name not in _WHOLE:
                    read[name] = _plain(value)


@lru_cache(maxsize=4096)
def _name(key: Path | Metric) -> str:
    return text(key)


def _raw(value: Any) -> Any:
    return value if value.__class__ in _PLAIN else _plain(settled(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if value is None or isinstance(value, str | int | float | list | dict | datetime):
        return value
    return str(value)
