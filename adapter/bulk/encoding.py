"""Find out the encoding of text by its mark, and bring it to an encoding whose lines end with the byte LF."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from msgspec import Struct

from adapter.errors import InvalidImport

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Encodings in which LF is not the byte 10 alone.
_WIDE = ("utf-16", "utf-32")


class Text(Struct, frozen=True):
    """Bytes in `encoding`, without a mark; `shown` is the encoding of the file for people."""

    encoding: str
    shown: str
    chunks: Iterator[bytes]


def text(chunks: Iterable[bytes], encoding: str = "") -> Text:
    """Return the text of a file; raises InvalidImport for an encoding that does not exist."""
    source = iter(chunks)
    head = b""
    while len(head) < 4 and (more := next(source, None)) is not None:
        head += more
    found, mark = _marked(head)
    name = encoding or found or _unmarked(head)
    try:
        name = codecs.lookup(name).name
    except LookupError:
        raise InvalidImport(
            f"there is no encoding `{encoding}`: write utf-8, utf-16, windows-1252 …"
        ) from None
    rest = _with(head[len(mark) :], source)
    if name.startswith(_WIDE):
        wide = found if found.startswith(_WIDE) else name if name[-2:] in ("le", "be") else f"{name}-le"
        return Text("utf-8", wide, _recoded(rest, wide))
    return Text(name, name, rest)


def _marked(head: bytes) -> tuple[str, bytes]:
    return next(((name, mark) for mark, name in _MARKS if head.startswith(mark)), ("", b""))


def _unmarked(head: bytes) -> str:
    """Return the encoding of text without a mark: an ASCII letter next to a zero byte is UTF-16."""
    if len(head) >= 4 and head[1] == 0 and head[3] == 0 and head[0] and head[2]:
        return "utf-16-le"
    if len(head) >= 4 and head[0] == 0 and head[2] == 0 and head[1] and head[3]:
        return "utf-16-be"
    return "utf-8"


def _with(head: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from source


def _recoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise InvalidImport(f"the file is not {encoding}: {error}") from None
