"""Find out how a CSV file is written: the `sep=` line, the delimiter and the header.

The header decides: a delimiter counts where it makes known column names of the header. So a column of codes
that contain `|` is not split.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

from msgspec import Struct

from adapter.bulk.headers import normal
from adapter.bulk.records import ReadOptions
from adapter.errors import InvalidImport

_CANDIDATES = (",", ";", "\t", "|", "\x1f")
#: The delimiter of a file with one column: no text has it.
ONE_COLUMN = "\x1f"


class Dialect(Struct, frozen=True):
    """The delimiter, the header, the lines before and with the header, and how many rows these are."""

    delimiter: str
    header: tuple[str, ...]
    lines: int
    rows: int


def sniff(lines: Sequence[str], options: ReadOptions) -> Dialect:
    """Return the dialect by the first lines of a file; raises InvalidImport without a usable header."""
    skipped, delimiter = 0, options.delimiter
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    if (
        skipped < len(lines)
        and lines[skipped].lower().startswith("sep=")
        and len(lines[skipped].strip()) <= 5
    ):
        delimiter = delimiter or lines[skipped].rstrip("\r\n")[4:5]
        skipped += 1
    if skipped >= len(lines):
        raise InvalidImport("the file is empty: its first row must name the columns")
    rest = lines[skipped:]
    found = [_header(rest, each, options) for each in ([delimiter] if delimiter else _CANDIDATES)]
    best = max(found, key=lambda each: _score(each, options))
    if best is None:
        raise InvalidImport("the header cannot be read: a quote in it is never closed")
    header, used, mark = best
    return Dialect(mark if delimiter or len(header) > 1 else ONE_COLUMN, header, skipped + used, skipped + 1)


def _header(
    lines: Sequence[str], delimiter: str, options: ReadOptions
) -> tuple[tuple[str, ...], int, str] | None:
    reader = csv.reader(iter(lines), delimiter=delimiter, quotechar=options.quote or '"', strict=True)
    try:
        cells = next(reader)
    except (csv.Error, StopIteration):
        return None
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return tuple(cell.strip() for cell in cells), reader.line_num, delimiter


def _score(found: tuple[tuple[str, ...], int, str] | None, options: ReadOptions) -> tuple[int, int]:
    if found is None:
        return -1, 0
    header = found[0]
    known = sum(1 for name in header if normal(name) in options.known or "." in name or "[" in name)
    return known, len(header) if known else 0
