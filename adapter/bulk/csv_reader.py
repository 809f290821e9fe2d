"""Read CSV of any dialect. A bad row costs that row alone; its place is right for editors and spreadsheets.

Rows are parsed by `csv` in its strict mode: text behind a closing quote is an error, and so is a quote that
is never closed. After an error the next line begins the next row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from adapter.bulk.dialect import Dialect, sniff
from adapter.bulk.encoding import text
from adapter.bulk.lines import LongLine, blocks
from adapter.bulk.records import ReadOptions, Record
from adapter.errors import InvalidImport

#: Lines among which the header is looked for: it may contain line breaks.
_HEADER_LINES = 50
#: Bytes that are not text in the encoding of the file.
UNDECODED = re.compile("[\udc80-\udcff]")
_NEVER_CLOSED = "the quote opened here is never closed"


class Sheet(Struct, frozen=True):
    """A CSV file: its header, and its rows when they are asked for. `notes` are for people."""

    header: tuple[str, ...]
    dialect: Dialect
    records: Iterator[Record]
    encoding: str


class _TooLong(Exception):
    """A row, or a line of it, is over the maximum."""

    def __init__(self, line: LongLine | None) -> None:
        super().__init__("too long")
        self.line = line


class _Form(Struct, frozen=True):
    """How a file is written."""

    dialect: Dialect
    options: ReadOptions

    @property
    def quote(self) -> str:
        """The quote of cells."""
        return self.options.quote or '"'

    def column(self, index: int) -> str:
        """Return the name of a column."""
        header = self.dialect.header
        return header[index] if index < len(header) else f"{index + 1}"


class _Lines:
    """The lines of a file as text with their LF, for `csv.reader`; remembers those of the current row."""

    def __init__(self, found: Iterable[list[bytes | LongLine]], encoding: str, most: int) -> None:
        self._blocks = iter(found)
        self._block: Iterator[bytes | LongLine] = iter(())
        self._ready: list[str | LongLine] = []
        self._encoding = encoding
        self._most = most
        self._size = 0
        self.taken: list[str] = []
        self.number = 0
        self.suspect = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._pull()
        self.number += 1
        self._size += len(line)
        self.taken.append(line)
        if self._size > self._most and len(self.taken) > 1:
            raise _TooLong(None)
        return line

    def begin(self) -> None:
        """Forget the lines of the row before."""
        self.taken.clear()
        self._size = 0

    def push_back(self, lines: Sequence[str | LongLine]) -> None:
        """Give lines again; they are counted again."""
        self._ready = [*reversed(lines), *self._ready]
        self.number -= len(lines)

    def has_nul(self) -> bool:
        """Return whether the current row has a NUL character, on any of its lines."""
        taken = self.taken
        return "\0" in taken[0] or (len(taken) > 1 and any("\0" in line for line in taken))

    def raw(self) -> bytes:
        """Return the current row as it is in the file."""
        return "".join(self.taken).encode(self._encoding, "surrogateescape")

    def _pull(self) -> str:
        found: str | bytes | LongLine | None
        found = self._ready.pop() if self._ready else next(self._block, None)
        if isinstance(found, str):
            self.suspect = self.suspect or UNDECODED.search(found) is not None
            return found
        while found is None:
            self._block = iter(next(self._blocks))
            found = next(self._block, None)
        if isinstance(found, LongLine):
            self.number += 1
            self.taken.append("")
            raise _TooLong(found)
        try:
            return found.decode(self._encoding) + "\n"
        except UnicodeDecodeError:
            self.suspect = True
            return found.decode(self._encoding, "surrogateescape") + "\n"


def read_csv(chunks: Iterable[bytes], options: ReadOptions) -> Sheet:
    """Return a file with its header read; raises InvalidImport where that cannot be done."""
    found = text(chunks, options.encoding)
    most = options.most_bytes
    csv.field_size_limit(max(most, csv.field_size_limit()))
    lines = _Lines(blocks(_with_lf(found.chunks), most), found.encoding, most)
    first: list[str] = []
    long: list[LongLine] = []
    try:
        while len(first) < _HEADER_LINES:
            first.append(next(lines))
            lines.begin()
    except StopIteration:
        pass
    except _TooLong as error:
        long += [error.line] if error.line else []
    dialect = sniff(first, options)
    _expect_text(dialect.header)
    lines.push_back([*first[dialect.lines :], *long])
    return Sheet(dialect.header, dialect, _records(lines, _Form(dialect, options)), found.shown)


def _expect_text(header: Sequence[str]) -> None:
    for number, name in enumerate(header, 1):
        found = UNDECODED.search(name)
        if found is not None:
            byte = ord(found[0]) - 0xDC00
            raise InvalidImport(
                f"byte 0x{byte:02X} in the name of column {number} is not UTF-8: "
                "if the file is Windows-1252, import it with --encoding windows-1252"
            )


def _with_lf(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a file whose lines end with CR alone as one whose lines end with LF."""
    first = next(chunks, b"")
    old = b"\r" in first and b"\n" not in first
    yield first.replace(b"\r", b"\n") if old else first
    for chunk in chunks:
        yield chunk.replace(b"\r", b"\n") if old else chunk


def _records(lines: _Lines, form: _Form) -> Iterator[Record]:
    dialect = form.dialect
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=form.quote, strict=True)
    row, width, names = dialect.rows, len(dialect.header), dialect.header
    while True:
        row += 1
        lines.begin()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong as long:
            yield _overlong((row, line), lines, long, form)
            if long.line is None:
                return
            continue
        except csv.Error as error:
            flawed = _flawed((row, line), lines, error, form)
            yield flawed
            if flawed.fatal:
                return
            continue
        if len(cells) != width:
            if not cells:
                continue
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if len(cells) != width:
                what = f"the row has {len(cells)} cells, the header has {width}"
                yield Record(row, line, cells, lines.raw(), what)
                continue
        record = Record(row, line, cells)
        if lines.suspect or lines.has_nul():
            record = _looked_at(record, lines, names)
        yield record
        lines.suspect = False


def raw_of(record: Record, delimiter: str) -> bytes:
    """Return a row as it may be written: as it was where it is kept, else written anew."""
    if record.raw or not isinstance(record.value, list):
        return record.raw
    return row_text(record.value, delimiter).encode("utf-8", "surrogateescape")


def row_text(cells: Iterable[str], delimiter: str = ",") -> str:
    """Return cells as a line of CSV, quoted where that is needed, without its end."""
    out = _Out()
    # Cells that contain a character of the line's end are quoted.
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(list(cells))
    return out.text[:-2]


class _Out:
    text = ""

    def write(self, text: str) -> None:
        self.text += text


def _looked_at(record: Record, lines: _Lines, names: tuple[str, ...]) -> Record:
    """Return a record with a flaw where a cell has bytes that are not text, or a NUL character."""
    for name, cell in zip(names, record.value, strict=True):
        found = UNDECODED.search(cell)
        if found is not None:
            byte = ord(found[0]) - 0xDC00
            flaw = (
                f"byte 0x{byte:02X} is not UTF-8 (column {name}); if the whole file is Windows-1252, "
                "import it with --encoding windows-1252"
            )
            return Record(record.row, record.line, record.value, lines.raw(), flaw, name)
        if "\0" in cell:
            flaw = f"a NUL character cannot be kept (column {name})"
            return Record(record.row, record.line, record.value, lines.raw(), flaw, name)
    return record


def _overlong(place: tuple[int, int], lines: _Lines, long: _TooLong, form: _Form) -> Record:
    row, line = place
    if long.line is None:
        flaw = f"{_NEVER_CLOSED} (column {_opened(lines.taken, form)})"
        return Record(row, line, raw=lines.raw()[:2000], flaw=flaw, fatal=True)
    most = form.options.most_bytes / 1_000_000
    flaw = f"the line is longer than {most:g} MB (bytes {long.line.start} to {long.line.end})"
    return Record(row, line, flaw=flaw)


def _flawed(place: tuple[int, int], lines: _Lines, error: csv.Error, form: _Form) -> Record:
    """Return the record of a row that `csv` rejects."""
    row, line = place
    raw = lines.raw()
    if "unexpected end" in str(error):
        column = _opened(lines.taken, form)
        flaw = f"{_NEVER_CLOSED} (column {column})"
        return Record(row, line, raw=raw[:2000], flaw=flaw, column=column, fatal=True)
    if "expected after" in str(error):
        column = _quoted_badly(lines.taken, form)
        to = f" at line {lines.number}" if lines.number > line else ""
        flaw = (
            f'text after the closing quote in column {column}{to}; write "" for a quote inside a quoted cell'
        )
        return Record(row, line, raw=raw, flaw=flaw, column=column)
    return Record(row, line, raw=raw, flaw=f"the row is not CSV: {error}")


def _opened(taken: list[str], form: _Form) -> str:
    """Return the column in which a quote of the first line is not closed."""
    return form.column(_cell_at(taken[0] if taken else "", form.dialect.delimiter, form.quote))


def _quoted_badly(taken: list[str], form: _Form) -> str:
    """Return the column in which text follows a closing quote."""
    return form.column(_cell_at("".join(taken), form.dialect.delimiter, form.quote, stray=True))


def _cell_at(line: str, delimiter: str, quote: str, *, stray: bool = False) -> int:
    """Return the index of the cell with an unclosed quote; if `stray`, with text behind a closing one."""
    index, at, size = 0, 0, len(line)
    while at < size:
        if line[at] == quote:
            at += 1
            while at < size:
                if line[at] == quote:
                    if line[at + 1 : at + 2] == quote:
                        at += 1
                    else:
                        break
                at += 1
            if at >= size:
                return index
            at += 1
            if stray and line[at : at + 1] not in (delimiter, "\n", "\r", ""):
                return index
        end = line.find(delimiter, at)
        if end < 0:
            return index
        at, index = end + 1, index + 1
    return index
