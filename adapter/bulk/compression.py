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
_CUT = "the file ends in the middle of the compressed stream: fetch it again, and import it again"


def decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a file; raises Truncated at an early end, InvalidImport where it is damaged."""
    source = iter(chunks)
    head = b""
    while len(head) < 4 and (more := next(source, None)) is not None:
        head += more
    if head.startswith(_GZIP):
        yield from _gunzipped(head, source)
    elif head.startswith(_ZSTD):
        yield from _unzstd(head, source)
    else:
        if head:
            yield head
        yield from source


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
