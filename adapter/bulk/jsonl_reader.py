"""Read JSON lines: strict JSON, one object a line; only LF and CRLF end a line."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from adapter.bulk.encoding import text
from adapter.bulk.lines import LongLine, blocks
from adapter.bulk.records import ReadOptions, Record

_decode = msgspec.json.decode
_BLANK = b" \t\r"
_NESTED = (dict, list)


def read_jsonl(chunks: Iterable[bytes], options: ReadOptions) -> Iterator[Record]:
    """Yield the records of a file; blank lines count, and are left out."""
    found = text(chunks, options.encoding)
    recode = found.encoding not in ("utf-8", "ascii")
    number = 0
    for block in blocks(found.chunks, options.most_bytes):
        for line in block:
            number += 1
            if isinstance(line, LongLine):
                yield _too_long(number, line, options)
                continue
            bare = line.strip(_BLANK)
            if not bare:
                continue
            if recode:
                bare = bare.decode(found.encoding, "replace").encode()
            yield record(number, bare)


def record(number: int, raw: bytes) -> Record:
    """Return the record of a line."""
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Record(number, number, raw=raw, flaw=_why(raw, error))
    if type(value) is not dict:
        return Record(number, number, raw=raw, flaw="the line is not a JSON object")
    return Record(number, number, value, raw, _flaw(raw) if _suspicious(raw, value) else "")


def _too_long(number: int, line: LongLine, options: ReadOptions) -> Record:
    most = options.most_bytes / 1_000_000
    flaw = f"the line is longer than {most:g} MB (bytes {line.start} to {line.end})"
    return Record(number, number, raw=b"", flaw=flaw)


def _suspicious(raw: bytes, value: dict[str, Any]) -> bool:
    """Return whether a line needs a second look: it may have NUL or a key twice."""
    if b"\\u0000" in raw or b'" :' in raw or b'"\t:' in raw:
        return True
    return raw.count(b'":') != _keys(value)


def _keys(value: Any) -> int:
    """Return how many keys a value has at all depths."""
    if type(value) is dict:
        return len(value) + sum([_keys(each) for each in value.values() if type(each) in _NESTED])
    return sum([_keys(each) for each in value if type(each) in _NESTED])


def _flaw(raw: bytes) -> str:
    """Return why a line of JSON cannot be kept; empty where it can."""
    flaws: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            counted = Counter(key for key, _ in found)
            flaws.extend(f"`{key}` occurs twice" for key, count in counted.items() if count > 1)
        for key, value in found:
            if "\0" in key or (type(value) is str and "\0" in value):
                flaws.append("a NUL character cannot be kept")
            elif type(value) is float and not math.isfinite(value):
                flaws.append("a number is too large to be kept")
        return made

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return "the line is not JSON that can be kept"
    if not flaws and b"\\u0000" in raw.replace(b"\\\\", b""):
        return "a NUL character cannot be kept"
    return flaws[0] if flaws else ""


def _why(raw: bytes, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte 0x{raw[error.start]:02X} is not UTF-8"
    if isinstance(error, RecursionError):
        return "the JSON nests too deep"
    message = str(error).removeprefix("JSON is malformed: ")
    try:
        json.loads(raw, parse_constant=_constant)
    except _Constant as found:
        return f"{found} is not JSON"
    except (ValueError, RecursionError):
        return f"the line is not JSON: {message}"
    if "surrogate" in message or "truncated" in message:
        return "text has half a surrogate pair, which is not text"
    return f"the line cannot be kept: {message[:1].lower() + message[1:]}"


class _Constant(Exception):
    """NaN or Infinity."""


def _constant(name: str) -> None:
    raise _Constant(name)
