"""Text that PostgreSQL cannot hold: a zero character in an id must not cost its whole batch.

The zero character is kept as two, `\\x01` and `0`, and `\\x01` itself as `\\x01` and `1`: reversible, and
nothing that people write changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def escape(text: str) -> str:
    """Return the text to keep."""
    if "\0" in text or "\x01" in text:
        return text.replace("\x01", "\x011").replace("\0", "\x010")
    return text


def unescape(kept: str) -> str:
    """Return the text that was kept."""
    return kept.replace("\x010", "\0").replace("\x011", "\x01") if "\x01" in kept else kept


def texts(kept: Iterable[str]) -> list[str]:
    """Return the texts of an array that was read: codecs do not reach into arrays."""
    return [unescape(each) for each in kept]


def array(values: Iterable[Any]) -> list[Any]:
    """Return values to bind as one array, text among them escaped, which codecs do not do there either."""
    return [escape(value) if type(value) is str else value for value in values]


def arrays(rows: Iterable[Sequence[Any]], width: int = 0) -> list[list[Any]]:
    """Return rows as columns, to be bound as one array each; `width` of them where there are no rows."""
    columns = list(zip(*rows, strict=True))
    return [array(column) for column in columns] if columns else [[] for _ in range(width)]
