"""Forms with a file, read while they arrive: the file is never in memory as a whole."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator

from msgspec import Struct
from python_multipart.multipart import MultipartParser, parse_options_header

from adapter.errors import Unreadable

#: The part with the file.
FILE = "file"
_MOST_FIELD = 100_000
#: Bytes before the file: its fields and headers are kept in memory.
_MOST_BEFORE = 1_000_000


class Form(Struct):
    """The fields before the file, and the file as it arrives. `columns` are the fields of that name."""

    fields: dict[str, str]
    columns: list[str]
    name: str
    file: AsyncIterator[bytes]


class _Parts:
    """Collects what the parser says."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.columns: list[str] = []
        self.file_name = ""
        self.in_file = self.file_seen = self.ended = False
        self.ready: deque[bytes] = deque()
        self._header: list[bytes] = [b"", b""]
        self._name = ""
        self._value = bytearray()

    def begin(self) -> None:
        self._name, self.in_file = "", False
        self._value.clear()

    def field(self, data: bytes, start: int, end: int) -> None:
        self._header[0] += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] += data[start:end]

    def header_end(self) -> None:
        name, value = self._header
        self._header = [b"", b""]
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            if self._name == FILE:
                self.in_file = self.file_seen = True
                self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")

    def data(self, data: bytes, start: int, end: int) -> None:
        if self.in_file:
            self.ready.append(data[start:end])
        elif len(self._value) + end - start <= _MOST_FIELD:
            self._value += data[start:end]

    def part_end(self) -> None:
        if not self.in_file and self._name:
            value = self._value.decode("utf-8", "replace")
            if self._name == "column":
                self.columns.append(value)
            else:
                self.fields[self._name] = value
        self.ended = self.ended or self.in_file
        self.in_file = False


async def form_of(content_type: str, body: AsyncIterator[bytes]) -> Form:
    """Read a form up to its file; raises Unreadable without one."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Unreadable("the Content-Type of a form names its boundary")
    parts = _Parts()
    parser = _parser(boundary, parts)
    before = 0
    while not parts.file_seen:
        piece = await anext(body, None)
        if piece is None:
            raise Unreadable("the form has no part named `file`")
        before += len(piece)
        _write(parser, piece)
        if before > _MOST_BEFORE and not parts.file_seen:
            raise Unreadable(f"the form has more than {_MOST_BEFORE} bytes before its part named `file`")
    return Form(parts.fields, parts.columns, parts.file_name, _file(parser, parts, body))


def _parser(boundary: bytes, parts: _Parts) -> MultipartParser:
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.field,
                "on_header_value": parts.value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.data,
                "on_part_end": parts.part_end,
            },
        )
    except ValueError as error:
        raise Unreadable(f"the boundary of the form cannot be used: {error}") from None


async def _file(parser: MultipartParser, parts: _Parts, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        while parts.ready:
            yield parts.ready.popleft()
        if parts.ended:
            async for _rest in body:
                continue
            return
        piece = await anext(body, None)
        if piece is None:
            raise Unreadable("the form ends within its file: its last boundary is missing")
        _write(parser, piece)


def _write(parser: MultipartParser, piece: bytes) -> None:
    try:
        parser.write(piece)
    except ValueError as error:
        raise Unreadable(f"the form is malformed: {error}") from None
