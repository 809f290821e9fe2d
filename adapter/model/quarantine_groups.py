"""Groups of quarantined messages: those of one source whose reasons differ in values alone."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

_SPOTS: Final = (
    (re.compile(r"[^\s\"'`<>]+@[^\s\"'`<>]+\.[^\s\"'`<>]+"), "…"),  # addresses
    (re.compile(r'"[^"]*[^\w"$.@-][^"]*"'), '"…"'),  # quoted texts that are no names
    (re.compile(r"`[^`]*[^\w`$.@\[\]-][^`]*`"), "`…`"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "…"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "N"),
)
#: A longer reason is cut before it is looked at.
_LONGEST: Final = 500


def fingerprint(reason: str) -> str:
    """Return a reason without its values: numbers, addresses, and quoted texts that are no names."""
    found = reason[:_LONGEST]
    for pattern, replacement in _SPOTS:
        found = pattern.sub(replacement, found)
    return found


def group_of(source: str, reason: str) -> str:
    """Return the name of a group: 16 hexadecimal digits of the source and the fingerprint of the reason."""
    return blake2b(f"{source}\0{fingerprint(reason)}".encode(), digest_size=8).hexdigest()
