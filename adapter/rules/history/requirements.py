"""Which figures over past events the rules read, and so what must be kept of each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from adapter.rules.expressions import Metric
from adapter.rules.history.time_buckets import width_for


class AttributeNeeds(Struct):
    """What to keep of one attribute: `spans` maps bucket width to the longest window, in seconds."""

    spans: dict[int, int]
    distinct: bool = False


class EventNeeds(Struct):
    """What to keep of one event name, beside its count, first and last."""

    spans: dict[int, int]
    attributes: dict[str, AttributeNeeds]


class Metrics:
    """What a rule book reads of the past; `digest` is the same for books that read the same."""

    def __init__(self, metrics: Iterable[Metric] = ()) -> None:
        self.events: dict[str, EventNeeds] = {}
        for metric in metrics:
            self._add(metric)
        lines = sorted(self._lines())
        self.digest = blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()

    def _add(self, metric: Metric) -> None:
        needs = self.events.setdefault(metric.event, EventNeeds({}, {}))
        spans = needs.spans
        if metric.attribute is not None:
            attribute = needs.attributes.setdefault(metric.attribute, AttributeNeeds({}))
            attribute.distinct |= metric.kind == "distinct"
            spans = {} if metric.kind == "distinct" else attribute.spans
        if metric.window is not None:
            window = int(metric.window.total_seconds())
            width = width_for(window)
            spans[width] = max(window, spans.get(width, 0))

    def _lines(self) -> Iterator[str]:
        for event, needs in self.events.items():
            yield f"{event!r} {sorted(needs.spans.items())}"
            for name, attribute in needs.attributes.items():
                yield f"{event!r} {name!r} {sorted(attribute.spans.items())} {attribute.distinct}"


def values_at(attributes: dict[str, Any], path: str) -> list[Any]:
    """Return the values under a dotted path; a list on the way, or at its end, gives each of its elements."""
    if path in attributes:
        found: list[Any] = [attributes[path]]
    else:
        found = [attributes]
        for key in path.split("."):
            found = [item[key] for item in _flat(found) if isinstance(item, dict) and key in item]
    return [item for item in _flat(found) if item is not None]


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list):
            yield from item
        else:
            yield item
