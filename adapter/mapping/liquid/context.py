"""What one run of a template has: the message, the names it assigned, and the work that it did.

Segment stops a template after 100 MB or half a second. Work is counted here instead, so that a template on
a message always ends alike: each character that is made, and by their weights each character that a filter
walks and each item of a list or a range. Without loops `MOST_MADE` bounds the time to about a second.
"""

from __future__ import annotations

from typing import Any

from adapter.errors import MappingError
from adapter.mapping.engine.values import UNDEFINED
from adapter.mapping.liquid.values import member, own, shown

MOST_MADE = 100_000_000
#: What a character that a filter walks costs, and an item: so many times longer than making a character.
WALKED, ITEM = 20, 100


class Failed(MappingError):
    """A template that cannot be rendered from this message; `at` is the place of its output or tag."""

    at: int | None = None


class Context:
    """The names that a template reads, and what it has made so far."""

    __slots__ = ("assigned", "counters", "cycles", "made", "payload", "stopped")

    def __init__(self, payload: Any) -> None:
        self.payload = payload
        self.assigned: dict[str, Any] = {}
        self.counters: dict[str, float] = {}
        self.cycles: dict[str, int] = {}
        self.made: float = 0
        self.stopped = False

    def use(self, work: float) -> None:
        """Count work that a template is about to do; raises Failed above the limit."""
        if work > 0:
            self.made += work
            if self.made > MOST_MADE:
                raise Failed("memory alloc limit exceeded")

    def walk(self, value: Any) -> None:
        """Count what a filter walks of a value."""
        if type(value) is str:
            self.use(len(value) * WALKED)
        elif type(value) is list:
            self.use(_items(value) * ITEM)

    def root(self, name: str) -> Any:
        """Return the value of a path's first name."""
        for scope in (self.assigned, self.counters):
            if name in scope:
                return scope[name]
        found = own(self.payload, name)
        return member({}, name) if found is UNDEFINED else found

    def write(self, value: Any, pieces: list[str]) -> None:
        """Add a printed value to the output."""
        if type(value) is list:
            self.walk(value)
        text = shown(value)
        self.use(len(text))
        pieces.append(text)


def _items(value: list[Any]) -> int:
    return len(value) + sum(_items(item) for item in value if type(item) is list)
