"""Objects in a mapping that are directives: how they differ from plain objects, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_directive(value: Any) -> bool:
    """Tell whether every key starts with `@` or is `_metadata`, and at least one with `@`."""
    if type(value) is not dict:
        return False
    found = False
    for key in value:
        if key[:1] == "@":
            found = True
        elif key != "_metadata":
            return False
    return found


def name_of(value: Mapping[str, Any]) -> str:
    """Return the first `@` key of a directive object."""
    return next(key for key in value if key[:1] == "@")


def has_directive(value: Any) -> bool:
    """Say whether anything in a mapped value depends on the message."""
    if isinstance(value, dict):
        return any(key[:1] == "@" or has_directive(inner) for key, inner in value.items())
    return isinstance(value, list) and any(has_directive(item) for item in value)
