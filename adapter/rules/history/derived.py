"""Figures of what is worked out of each past event: those with a condition, a value, or a value to compare.

They are kept by the value that is compared (`by`), for MOST_KEYS values: the one that was unseen for longest
goes first. Without such a value there is one key, the empty text.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct

from adapter.model.events import Event
from adapter.rules.expressions import EvaluationContext, Metric
from adapter.rules.expressions.compiler import compile_truth, compile_value
from adapter.rules.expressions.dependencies import attributes_read
from adapter.rules.expressions.one_element import one_element
from adapter.rules.expressions.typed_tree import Node
from adapter.rules.expressions.unparse import text
from adapter.rules.expressions.values import ABSENT
from adapter.rules.history.aggregates import Figures, changed_key, value_key
from adapter.rules.history.needs import AttributeNeeds, widened

#: Values of one figure that are told apart, per customer.
MOST_KEYS = 64
_MOMENTS = frozenset(("first", "last", "days_since"))


class Derived(Struct, array_like=True):
    """What is kept: figures by key, and how far back they reach (bucket width to seconds)."""

    spans: dict[int, int] = {}
    keys: dict[str, Figures] = {}

    def joined(self, other: Derived) -> Derived:
        """Return the figures of both together, as far as both reach back."""
        widths = self.spans.keys() & other.spans.keys()
        keys = {**self.keys, **other.keys}
        for key in self.keys.keys() & other.keys.keys():
            keys[key] = self.keys[key].joined(other.keys[key])
        spans = {width: min(self.spans[width], other.spans[width]) for width in widths}
        return Derived(spans, dict(list(keys.items())[-MOST_KEYS:]))

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change texts and whole numbers among the keys and the distinct values."""
        self.keys = {changed_key(key, change) if key else key: kept for key, kept in self.keys.items()}
        for figures in self.keys.values():
            figures.rewrite(change)


class DerivedNeeds:
    """What to work out of the events of one name, and how far back it is asked for.

    `attributes` are those of the event that it looks at.
    """

    def __init__(self, metric: Metric) -> None:
        self.event = metric.event
        self.attributes = attributes_read(metric)
        self.spans: dict[int, int] = {}
        self._holds = None if metric.where is None else compile_truth(metric.where, want=True)
        self._value = None if metric.value is None else compile_value(metric.value)
        self._key = None if metric.by is None else compile_value(metric.by)
        self._moments = metric.kind in _MOMENTS
        self._distinct = metric.kind == "distinct"

    def reach(self, metric: Metric) -> None:
        """Keep enough for the metric's window too."""
        if metric.window is not None and not self._distinct:
            widened(self.spans, metric.window)

    def kept_by(self, derived: Derived | None) -> bool:
        """Return whether everything needed is kept."""
        return derived is not None and all(
            derived.spans.get(width, 0) >= window for width, window in self.spans.items()
        )

    def opened(self) -> Derived:
        """Return what is kept of no event."""
        return Derived(dict(self.spans))

    def add(self, into: Derived, moment: int, event: Event) -> None:
        """Take an event in; `moment` is in microseconds since 1970."""
        seen = one_element(event.attributes)
        if self._holds is not None and not self._holds(seen):
            return
        key = "" if self._key is None else value_key(self._key(seen))
        values = self._values(seen, moment)
        if key is None or not values:
            return
        needs = AttributeNeeds(into.spans, self._distinct)
        figures = into.keys.pop(key, None) or Figures.opened(needs)
        for value in values:
            figures.add(moment // 1_000_000, value)
        into.keys[key] = figures  # the last of them now
        if len(into.keys) > MOST_KEYS:
            del into.keys[next(iter(into.keys))]

    def _values(self, seen: EvaluationContext, moment: int) -> list[Any]:
        if self._moments:
            return [Decimal(moment) / 1_000_000]
        if self._value is None:
            return [1]
        found = self._value(seen)
        values = found if isinstance(found, list | tuple) else [found]
        return [value for value in values if value is not ABSENT]


@lru_cache(maxsize=4096)
def derived_name(metric: Metric) -> str:
    """Return under which name a metric's figures are kept: its event, and what is worked out of each."""
    value = "moment" if metric.kind in _MOMENTS else "event" if metric.value is None else text(metric.value)
    parts = [metric.event, f"distinct {value}" if metric.kind == "distinct" else value]
    return " ".join(parts + _part("where", metric.where) + _part("by", metric.by))


def _part(word: str, node: Node | None) -> list[str]:
    return [] if node is None else [f"{word} {text(node)}"]
