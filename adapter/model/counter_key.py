"""The key of a guardrail counter, as the text under which both engines store it.

A key joins its parts with `|`: the rule (`*` for the limits over all rules), then the dimensions of the
guardrail, such as a period, a length or a currency. No part contains a `|`. `encode` joins and `decode`
splits; no other code depends on the form. A key is typed text and not an object with fields because each
event takes keys to the store and back: text needs no conversion there, and computes its hash once.
"""

from __future__ import annotations

from typing import NewType

CounterKey = NewType("CounterKey", str)
#: A counter: its scope (see `CounterReservation`) and its key.
ScopedKey = tuple[str, CounterKey]

_SEPARATOR = "|"


def encode(rule: str, *parts: str) -> CounterKey:
    """Return the key of a rule's counter with these parts."""
    return CounterKey(_SEPARATOR.join((rule, *parts)))


def decode(key: CounterKey) -> tuple[str, tuple[str, ...]]:
    """Return the rule of a key, and its other parts."""
    rule, *parts = key.split(_SEPARATOR)
    return rule, tuple(parts)


def within(rule_part: str) -> str:
    """Return the text by which a part is found in keys, neither at their beginning nor at their end."""
    return f"{_SEPARATOR}{rule_part}{_SEPARATOR}"
