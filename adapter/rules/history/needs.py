"""What must be kept of the events of one name, and how values are found in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec import Struct

from adapter.rules.history.time_buckets import width_for


class AttributeNeeds(Struct):
    """What to keep of one attribute: `spans` maps bucket width to the longest window, in seconds."""

    spans: dict[int, int]
    distinct: bool = False


class EventNeeds(Struct):
    """What to keep of one event name, beside its count, first and last."""

    spans: dict[int, int]
    attributes: dict[str, AttributeNeeds]


def widened(spans: dict[int, int], window: timedelta) -> None:
    """Let spans (bucket width to longest window, in seconds) reach back a window too."""
    seconds = int(window.total_seconds())
    width = width_for(seconds)
    spans[width] = max(seconds, spans.get(width, 0))


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
