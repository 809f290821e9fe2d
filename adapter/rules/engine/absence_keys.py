"""The keys of an event that wait each for itself, such as the products of an order.

A timer of a key is named by its rule and a slot that the key falls into. There are SLOTS of them, so that the
timers of a customer are bounded. Two keys in one slot are rare: then the later one takes the place of the
earlier, and what ends the wait of one ends that of both, so no discount is issued that should not be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from adapter.model.events import Event
from adapter.model.timers import Timer

#: Between the name of a rule and a slot; no name of a rule has it.
_SEPARATOR = "#"
#: Timers of a customer under one rule.
SLOTS = 4096
#: Keys of one event that wait; of more the first ones do.
MOST_KEYS = 50


def keyed(event: Event, path: str) -> dict[str, Event]:
    """Return an event for each of its keys, by the slot of the key, with the attributes OF_KEYS."""
    found: dict[str, Event] = {}
    for key, item in _keys(event.attributes, path.split(".")):
        if len(found) == MOST_KEYS:
            break
        attributes = {**event.attributes, "key": key, **({} if item is None else {"item": item})}
        found.setdefault(_slot(key), replace(event, attributes=attributes))
    return found


def name_of(rule: str, slot: str) -> str:
    """Return the name of the timer of a slot."""
    return f"{rule}{_SEPARATOR}{slot}"


def rule_of(timer: Timer) -> str:
    """Return the rule of a timer of an absence, whether it is of a key or not."""
    return timer.rule.partition(_SEPARATOR)[0]


def _keys(value: Any, path: list[str], item: Any = None) -> Iterator[tuple[Any, Any]]:
    """Yield the values at a path, lists gone through, with the innermost element of a list they are in."""
    if isinstance(value, list):
        for each in value:
            yield from _keys(each, path, each)
    elif path:
        if isinstance(value, dict):
            yield from _keys(value.get(path[0]), path[1:], item)
    elif isinstance(value, str | int | float) and value != "":
        yield value, item if isinstance(item, dict) else None


def _slot(key: Any) -> str:
    text = json.dumps(key).encode("utf-8", "surrogatepass")
    return f"{int.from_bytes(blake2b(text, digest_size=8).digest()) % SLOTS:03x}"
