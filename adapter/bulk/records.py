"""What readers make of a file: records with their place, and flaws of the whole file."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from adapter.errors import InvalidImport


class Truncated(InvalidImport):
    """The file ends early; the rows before the end were read."""


class Record(Struct):
    """One row. `row` counts as a spreadsheet does, the header included; `line` as a text editor does.

    `value` are the cells of a CSV row, or the JSON value of a line. `raw` is the row as it was written.
    `flaw` says why it cannot be read; `column` is the name of the column at fault.
    """

    row: int
    line: int
    value: Any = None
    raw: bytes = b""
    flaw: str = ""
    column: str = ""
    fatal: bool = False


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How a file is read. Empty values are found out: `encoding` by the mark, `delimiter` by the header.

    `most_bytes` is the maximum of a row. `known` are the columns by which a header is recognised, in normal
    form.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    most_bytes: int = 16_000_000
    known: frozenset[str] = frozenset()
