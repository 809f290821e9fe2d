"""Rows of a dump as CSV, JSON lines or Parquet, piece by piece."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO, Literal

from msgspec import Struct

from adapter.bulk.cells import BadCell, CellOptions, value
from adapter.bulk.csv_reader import row_text
from adapter.bulk.headers import guarded, written
from adapter.errors import InvalidImport
from adapter.model.encoding import encode
from adapter.services.bulk.dump import Dump, DumpKind, Row

DumpFormat = Literal["csv", "jsonl", "parquet"]
#: Rows of one piece.
_PIECE = 200
#: More columns than a spreadsheet shows.
_MOST_COLUMNS = 2_000
#: Objects of which each member is a column.
_SPREAD: dict[DumpKind, tuple[str, ...]] = {
    "customers": ("traits",), "events": ("attributes",), "discounts": (), "decisions": (), "redemptions": (),
    "codes": ("metadata",),
}  # fmt: skip
_PLAIN_OPTIONS = CellOptions()
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Column(Struct):
    """A column: the path of its values, and whether its cells are JSON."""

    path: tuple[str, ...]
    is_json: bool = False


async def jsonl(dump: Dump) -> AsyncIterator[bytes]:
    """Yield JSON lines."""
    lines: list[bytes] = []
    async for row in dump.rows():
        lines.append(encode(row))
        if len(lines) >= _PIECE:
            yield b"\n".join(lines) + b"\n"
            lines = []
    if lines:
        yield b"\n".join(lines) + b"\n"


async def csv_of(dump: Dump, *, plain: bool = False) -> AsyncIterator[bytes]:
    """Yield CSV. All rows are read twice: first for their columns.

    Cells and names that a spreadsheet would run get an apostrophe, unless `plain`. Raises InvalidImport for
    more columns than a file of this kind can have.
    """
    columns = await _columns(dump)
    safe: Callable[[str], str] = (lambda text: text) if plain else guarded
    names = [safe(written(column.path, is_json=column.is_json)) for column in columns]
    yield (row_text(names) + "\r\n").encode()
    lines: list[str] = []
    async for row in dump.rows():
        lines.append(row_text([safe(_cell(row, column)) for column in columns]))
        if len(lines) >= _PIECE:
            yield ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")
            lines = []
    if lines:
        yield ("\r\n".join(lines) + "\r\n").encode("utf-8", "replace")


async def parquet(dump: Dump) -> AsyncIterator[bytes]:
    """Yield a Parquet file, made in a file of the system; values that are no text are JSON."""
    try:
        import pyarrow as arrow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 - an extra
        from pyarrow import parquet as writing  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
    except ImportError:
        raise InvalidImport(
            "writing Parquet needs pyarrow: pip install 'behaviour-discounts-adapter[parquet]'"
        ) from None
    columns = await _columns(dump)
    schema = arrow.schema([(written(each.path, is_json=each.is_json), arrow.string()) for each in columns])
    with tempfile.TemporaryFile() as file:
        with writing.ParquetWriter(file, schema) as writer:
            async for part in _parts(dump):
                cells = [[_cell(row, each) or None for row in part] for each in columns]
                writer.write_table(arrow.table(cells, schema=schema))
        for piece in _pieces(file):
            yield piece


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(1 << 18):
        yield piece


async def _parts(dump: Dump) -> AsyncIterator[list[Row]]:
    part: list[Row] = []
    async for row in dump.rows():
        part.append(row)
        if len(part) >= 10 * _PIECE:
            yield part
            part = []
    if part:
        yield part


async def _columns(dump: Dump) -> list[_Column]:
    """Return the columns of all rows: a member of a spread object has one of its own."""
    spread = _SPREAD[dump.kind]
    found: dict[tuple[str, ...], _Column] = {}
    async for row in dump.rows():
        for name, each in row.items():
            if name in spread:
                for inner, one in each.items():
                    _note(found, (name, inner), one)
            else:
                _note(found, (name,), each)
        if len(found) > _MOST_COLUMNS:
            raise InvalidImport(
                f"the rows have more than {_MOST_COLUMNS} names, too many for columns: use the format jsonl"
            )
    return list(found.values())


def _note(found: dict[tuple[str, ...], _Column], path: tuple[str, ...], each: Any) -> None:
    column = found.get(path)
    if column is None:
        column = found[path] = _Column(path)
    if not column.is_json and not _is_text(each, path):
        column.is_json = True


def _is_text(each: Any, path: tuple[str, ...]) -> bool:
    """Return whether an import reads the same value from a cell with the text alone."""
    if each is None:
        return len(path) == 1
    if not isinstance(each, str) or not each or _SURROGATE.search(each):
        return False
    if len(path) == 1:
        return True
    try:
        return bool(value(each, None, _PLAIN_OPTIONS, "") == each)
    except BadCell:
        return False


def _cell(row: Row, column: _Column) -> str:
    each: Any = row
    for name in column.path:
        if not isinstance(each, dict) or name not in each:
            return ""
        each = each[name]
    if column.is_json:
        return "" if each is None and len(column.path) == 1 else json.dumps(each, ensure_ascii=False)
    return "" if each is None else str(each)
