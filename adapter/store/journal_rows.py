"""Rows of the journal, the same for both engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from adapter.model.journal import JournalRow
from adapter.store.timestamps import micros, moment

#: Rows that one transaction deletes.
TRIMMED = 500
_DIGEST = 16


def journal_columns(row: JournalRow, digests: Iterable[bytes]) -> tuple[int, int, bytes, bytes]:
    """Return the columns of a row, its number apart; `digests` are of its names."""
    return micros(row.at), len(row.data), b"".join(digests), row.data


def read_journal(row: Iterable[Any]) -> JournalRow:
    """Return the row that the columns number, at and data have."""
    number, at, data = row
    return JournalRow(moment(at), data, number=number)


def digests_in(names: bytes) -> Iterator[bytes]:
    """Yield the digests of a row's names."""
    return (names[start : start + _DIGEST] for start in range(0, len(names), _DIGEST))


def dropped(oldest: Iterable[Sequence[Any]], before: datetime, excess: int) -> list[tuple[int, bytes, int]]:
    """Return number, names and size of rows to delete: too old ones, then until `excess` bytes are gone."""
    found = []
    for number, at, size, names in oldest:
        if at >= micros(before) and excess <= 0:
            break
        found.append((number, names, size))
        excess -= size
    return found
