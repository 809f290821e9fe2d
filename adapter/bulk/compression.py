"""Decompress gzip (with several members) and zstd, by the first bytes and not by the name."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from adapter.bulk.records import Truncated
from adapter.errors import InvalidImport

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: Bytes that are decompressed at a time: a small file may contain gigabytes.
_PIECE = 1 << 18
#: Bytes of zstd that are decompressed at a time: four of them may be 128 KB.
_SIP = 512
#: Bytes that any file may become; a larger one may be at most so many times the compressed one.
_MOST_ALWAYS = 1 << 30
_MOST_RATIO = 200
_CUT = "the file ends in the middle of the compressed stream: fetch it again, and import it again"


def decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a file; raises Truncated at an early end, InvalidImport where it is damaged."""
    source = _Counted(chunks)
    head = b""
    while len(head) < 4 and (more := next(source, None)) is not None:
        head += more
    if head.startswith(_GZIP):
        yield from _bounded(_gunzipped(head, source), source)
    elif head.startswith(_ZSTD):
        yield from _bounded(_unzstd(head, source), source)
    else:
        if head:
            yield head
        yield from source


class _Counted(Iterator[bytes]):
    """Pieces of a file; `read` is how many bytes they had."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.read = 0

    def __next__(self) -> bytes:
        piece = next(self._chunks)
        self.read += len(piece)
        return piece


def _bounded(content: Iterator[bytes], source: _Counted) -> Iterator[bytes]:
    """Yield the content of a file, unless it grows as only one does that was made for harm."""
    size = 0
    for piece in content:
        size += len(piece)
        if size > _MOST_ALWAYS and size > _MOST_RATIO * source.read:
            raise InvalidImport(
                f"the file becomes more than {_MOST_RATIO} times as long: decompress it before"
            )
        yield piece


def _gunzipped(head: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of all members; blanks of zeros between and after them are padding."""
    waiting, whole = head, True
    inflater: Any = None
    while True:
        if not waiting:
            more = next(source, None)
            if more is None:
                break
            waiting = more
            continue
        if inflater is None:
            waiting = waiting.lstrip(b"\0")
            if not waiting:
                continue
            inflater, whole = zlib.decompressobj(wbits=31), False
        try:
            piece = inflater.decompress(waiting, _PIECE)
        except zlib.error as error:
            raise InvalidImport(f"the gzip stream is damaged: {error}") from None
        waiting = inflater.unconsumed_tail
        if piece:
            yield piece
        if inflater.eof:
            waiting, inflater, whole = inflater.unused_data + waiting, None, True
    if not whole:
        raise Truncated(_CUT)


def _unzstd(head: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    import zstandard  # noqa: PLC0415 - only those who import such files wait for it

    inflater, ready = None, bytearray()
    for chunk in chain((head,), source):
        for at in range(0, len(chunk), _SIP):
            waiting = chunk[at : at + _SIP]
            while waiting:
                inflater = inflater or zstandard.ZstdDecompressor().decompressobj()
                try:
                    ready += inflater.decompress(waiting)
                except zstandard.ZstdError as error:
                    if ready:
                        yield bytes(ready)
                    raise InvalidImport(f"the zstd stream is damaged: {error}") from None
                waiting = b""
                if inflater.eof:
                    waiting, inflater = inflater.unused_data, None
            if len(ready) >= _PIECE:
                yield bytes(ready)
                ready.clear()
    if ready:
        yield bytes(ready)
    if inflater is not None:
        raise Truncated(_CUT)
