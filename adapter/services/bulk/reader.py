"""A file as records, whatever its format: CSV, JSON lines, Parquet, or bodies of a source line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from msgspec import Struct

from adapter.bulk.compression import decompressed
from adapter.bulk.csv_reader import read_csv
from adapter.bulk.encoding import text
from adapter.bulk.jsonl_reader import read_jsonl
from adapter.bulk.kinds import KINDS
from adapter.bulk.lines import LongLine, blocks
from adapter.bulk.records import ReadOptions, Record
from adapter.errors import InvalidImport
from adapter.model.imports import ImportKind, ImportOptions
from adapter.services.bulk.valid_options import expect_valid

#: The maximum of a row, in bytes, above cells of 10 MB.
MOST_ROW_BYTES = 16_000_000
#: That of a line of JSON.
MOST_LINE_BYTES = 10_000_000
_PIECE = 1 << 18
_PARQUET = b"PAR1"


class Input(Struct, frozen=True):
    """A file: `chunks` yields its bytes from the beginning, whenever it is called.

    `seekable` opens one that can be read in any order, which Parquet needs; None where there is none.
    """

    name: str
    chunks: Callable[[], Iterator[bytes]]
    seekable: Callable[[], BinaryIO] | None = None


class Opened(Struct, frozen=True):
    """A file that is being read: its records, and the header of one that has columns."""

    format: str
    records: Iterator[Record]
    header: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"


def opened(given: Input, kind: ImportKind, options: ImportOptions) -> Opened:
    """Read the beginning of a file; raises InvalidImport where it cannot be read at all."""
    expect_valid(options)
    chunks = given.chunks()
    head = next(chunks, b"")
    if options.format == "parquet" or head.startswith(_PARQUET):
        return _parquet(given, options)
    content = decompressed(chain((head,), chunks))
    first = next(content, b"")
    if not first and not options.source:
        raise InvalidImport(f"{given.name} is empty")
    content = chain((first,), content)
    form = options.format or ("jsonl" if options.source or _is_json(first) else "csv")
    if form == "csv" and options.source:
        form = "csv"
    if options.source and form == "jsonl" and kind != "codes":
        return Opened("source", _bodies(content))
    limits = ReadOptions(
        encoding=options.encoding,
        delimiter=options.delimiter,
        quote=options.quote,
        most_bytes=MOST_ROW_BYTES if form == "csv" else MOST_LINE_BYTES,
        known=KINDS[kind].known,
    )
    if form == "jsonl":
        return Opened("jsonl", read_jsonl(content, limits))
    sheet = read_csv(content, limits)
    return Opened("csv", sheet.records, sheet.header, sheet.dialect.delimiter, sheet.encoding)


def _is_json(first: bytes) -> bool:
    bare = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        bare = bare.replace(b"\0", b"").lstrip(b"\xff\xfe")
    return bare.startswith(b"{")


def _parquet(given: Input, options: ImportOptions) -> Opened:
    from adapter.bulk.parquet_reader import read_parquet  # noqa: PLC0415 - an extra that few install

    if given.seekable is None:
        raise InvalidImport("Parquet cannot be read from standard input: name the file")
    header, records = read_parquet(given.seekable(), options.zone)
    return Opened("parquet", records, header)


def _bodies(content: Iterable[bytes]) -> Iterator[Record]:
    """Yield the lines of a file undecoded; a body may also stand alone, over several lines."""
    number = 0
    for block in blocks(text(content).chunks, MOST_LINE_BYTES):
        for line in block:
            number += 1
            if isinstance(line, LongLine):
                flaw = f"the line is longer than 10 MB (bytes {line.start} to {line.end})"
                yield Record(number, number, flaw=flaw)
            elif bare := line.strip():
                yield Record(number, number, raw=bare)
