"""Write refused rows into a file that can be mended and imported as it is."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import AsyncIterator, Sequence

import msgspec

from adapter.bulk.csv_reader import row_text
from adapter.bulk.headers import MARKS, guarded, unguarded
from adapter.model.encoding import encode
from adapter.model.imports import RefusedRow
from adapter.store.contract import Store


class Layout(msgspec.Struct, frozen=True):
    """How a file was written, so that its refused rows are written alike."""

    format: str
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"


async def refused_rows(store: Store, id_: str) -> AsyncIterator[RefusedRow]:
    """Yield all refused rows of an import, in order."""
    after = 0
    while rows := await store.refused_rows(id_, after):
        for number, row in rows:
            after = number
            yield row


async def refused_file(store: Store, id_: str, layout: Layout) -> AsyncIterator[bytes]:
    """Yield the file of refused rows, piece by piece."""
    if layout.format == "csv":
        header = [name for name in layout.header if name not in MARKS]
        mark = _delimiter(layout)
        yield codecs.BOM_UTF8 + row_text([*map(_safe, header), *MARKS], mark).encode() + b"\r\n"
    async for row in refused_rows(store, id_):
        yield _line(row, layout)


async def reasons(store: Store, id_: str) -> AsyncIterator[bytes]:
    """Yield a JSON line for each refused row: row, line, column, reason, and the row as it was."""
    async for row in refused_rows(store, id_):
        said = {"row": row.row, "line": row.line, "reason": row.reason}
        if row.column:
            said["column"] = row.column
        if row.path:
            said["path"] = row.path
        said["content"] = row.raw.decode("utf-8", "replace")
        yield encode(said) + b"\n"


def _delimiter(layout: Layout) -> str:
    return layout.delimiter if layout.delimiter != "\x1f" else ","


def _line(row: RefusedRow, layout: Layout) -> bytes:
    if layout.format == "csv":
        return _csv_line(row, layout)
    if layout.format == "source":
        return row.raw + b"\n"
    try:
        value = msgspec.json.decode(row.raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return row.raw + b"\n"
    if isinstance(value, dict):
        return encode({**value, MARKS[0]: row.row, MARKS[1]: row.reason}) + b"\n"
    return row.raw + b"\n"


def _csv_line(row: RefusedRow, layout: Layout) -> bytes:
    mark = _delimiter(layout)
    said = [str(row.row), guarded(row.reason)]
    cells = _cells(row.raw, layout)
    if cells is None:  # it is kept byte for byte, as it cannot be read
        raw = row.raw.rstrip(b"\r\n")
        return raw + (mark + row_text(said, mark)).encode() + b"\r\n"
    kept = [cell for name, cell in zip(layout.header, cells, strict=True) if name not in MARKS]
    return row_text([*map(_safe, kept), *said], mark).encode() + b"\r\n"


def _safe(cell: str) -> str:
    """Return a cell as it was, guarded where it is a formula."""
    return guarded(unguarded(cell))


def _cells(raw: bytes, layout: Layout) -> Sequence[str] | None:
    """Return the cells of a row, None where it cannot be read as one of this file."""
    encoding = "utf-8" if layout.encoding.startswith(("utf-16", "utf-32")) else layout.encoding
    if raw.startswith(b'{"source_id"'):
        return [""] * len(layout.header)
    try:
        found = list(csv.reader(io.StringIO(raw.decode(encoding), newline=""), delimiter=layout.delimiter,
                                strict=True))  # fmt: skip
    except (UnicodeDecodeError, csv.Error):
        return None
    if not raw:
        return [""] * len(layout.header)
    return found[0] if len(found) == 1 and len(found[0]) == len(layout.header) else None
