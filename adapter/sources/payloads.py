"""Request bodies to JSON values: strict, and one bad item never costs its neighbours.

A good body costs one msgspec decode. Only when that fails is the body sliced into its items, by brackets
and commas alone, so that each can be decoded, or refused, by itself. Numbers keep their exactness: integers
of up to 4,300 digits are int; what no float can hold (1e999), NaN and Infinity are refused. Of duplicate
keys the last wins, as in the CDPs' own readers (JSON.parse, encoding/json). Text is well-formed Unicode or
refused.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.errors import TooLarge, Unreadable

#: Deeper than any real message; functions may recurse safely over documents of this depth.
MAX_DEPTH = 64
#: More than any batch of a source has.
MAX_ITEMS = 50_000
TOO_MANY = f"the batch holds more than {MAX_ITEMS} items; send fewer at a time"

_USUAL_DEPTH = 12
_decode = msgspec.json.decode
_elements = msgspec.json.Decoder(list[Raw]).decode
_opened = msgspec.json.Decoder(dict[str, Raw]).decode
_raw = msgspec.json.Decoder(Raw).decode
#: With more commas the values of a body may be so many that to list them, undecoded, takes half a second.
_MANY_COMMAS = 400_000
_BLANK = b" \t\r\n"
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: Up to the next mark; strings are stepped over whole, and a quote that opens no whole string is a mark.
_TOKEN = re.compile(rb'(?:[^\[\]{},"]++|' + _STRING + rb')*+([\[\]{},"])', re.DOTALL)
#: The same inside of an item, where commas mean nothing.
_INNER = re.compile(rb'(?:[^\[\]{}"]++|' + _STRING + rb')*+([\[\]{}"])', re.DOTALL)
#: Several times the marks that bodies of the usual limit hold; they take a fifth of a second.
MAX_MARKS = 400_000
#: The limits before a sender is authenticated, so that other requests are not delayed: they take 20 ms.
#: Segment's messages have up to 32 KB, its batches 500 KB.
UNPROVEN_BYTES = 1_000_000
UNPROVEN_MARKS = 20_000
#: Half a surrogate pair so near to the end that msgspec takes the body for cut short.
_HALF_AT_END = re.compile(rb"(?<!\\)\\u[dD][89abAB][0-9a-fA-F]{2}[^\\]{1,5}\Z")
_HALF = "text holds half a surrogate pair, as `\\ud83d` without `\\ude00` after it"
_MEMBER = re.compile(rb"(" + _STRING + rb")[ \t\r\n]*:[ \t\r\n]*", re.DOTALL)


class MalformedItem(Struct, frozen=True):
    """An item that is not JSON by itself: its bytes, and the reason."""

    raw: bytes
    reason: str


def decode(body: bytes) -> Any:
    """Return the body's JSON value; raises Unreadable with what is wrong."""
    try:
        value = _decode(body)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the JSON is not UTF-8 text: {error.reason}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _malformed(error, body) from error
    if _may_be_deep(body) and _is_deep(value):
        raise Unreadable(_too_deep())
    return value


def decode_items(body: bytes, within: str = "") -> Any:
    """Return the body's JSON value, with a MalformedItem for each item that cannot be decoded.

    Items are the elements of a top-level array, and those of the array under the key `within` of a
    top-level object or element. An object that is JSON, but holds what we cannot keep (half a surrogate pair,
    1e999, an integer of over 4,300 digits, too deep a nesting), is one broken item: its sender did nothing
    wrong, and would drop it for ever.
    Raises Unreadable where what is wrong lies outside of every item, and TooLarge where there are more than
    MAX_ITEMS.
    """
    try:
        value = decode(body)
    except Unreadable as whole:
        try:
            return _salvage(body, within)
        except Unreadable:
            if is_object(body) and _is_json(body):
                return MalformedItem(body, whole.message)
            raise whole from None
    if _count(value, within) > MAX_ITEMS:
        raise TooLarge(TOO_MANY)
    return value


def elements(body: bytes | Raw) -> Sequence[Raw | bytes]:
    """Return the elements of an array, none of them decoded yet.

    Raises Unreadable where the body is not an array or its brackets do not match, and TooLarge for more than
    MAX_ITEMS elements.
    """
    body = bytes(body)
    if not is_array(body):
        raise Unreadable("the JSON is not an array")
    _limit_items(body)
    try:
        found: Sequence[Raw | bytes] = _elements(body)
    except (msgspec.DecodeError, RecursionError) as error:
        found = _split_elements(body, error)
    if len(found) > MAX_ITEMS:
        raise TooLarge(TOO_MANY)
    return found


def opened(body: bytes | Raw) -> dict[str, Raw] | dict[str, bytes]:
    """Return the values of an object by their keys, none of them decoded yet; raises as `elements` does."""
    body = bytes(body)
    if not is_object(body):
        raise Unreadable("the JSON is not an object")
    _limit_items(body)
    try:
        return _opened(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return members(body)


def element(raw: Raw | bytes) -> Any:
    """Return the value of one of `elements`, or a MalformedItem where it cannot be decoded."""
    return _item(bytes(raw), "")


def expect_json(body: bytes) -> None:
    """Raise Unreadable where the body is not JSON; nothing is decoded, and matching brackets suffice."""
    try:
        _raw(body)
    except (msgspec.DecodeError, RecursionError) as error:
        if not _pairs(body):
            raise _malformed(error, body) from error


def _split_elements(body: bytes, error: msgspec.DecodeError | RecursionError) -> list[bytes]:
    try:
        return list(islice(slices(body), MAX_ITEMS + 1))
    except Unreadable:
        raise _malformed(error, body) from error


def _malformed(error: msgspec.DecodeError | RecursionError, body: bytes) -> Unreadable:
    if isinstance(error, RecursionError):
        return Unreadable(_too_deep())
    return Unreadable(f"not the JSON that this endpoint takes: {_reason(error, body)}")


def _limit_items(body: bytes) -> None:
    """Raise TooLarge for more than MAX_ITEMS values before they are listed, which would block the loop."""
    if len(body) > _MANY_COMMAS and body.count(b",") > _MANY_COMMAS:
        try:
            if sum(1 for _ in islice(slices(body), MAX_ITEMS + 1)) > MAX_ITEMS:
                raise TooLarge(TOO_MANY)
        except Unreadable:
            return  # many brackets in few values, which are listed fast; or malformed, reported later


def slices(body: bytes, at_most: int = MAX_MARKS) -> Iterator[bytes]:
    """Yield the exact bytes of each element of an array, or member of an object, one at a time.

    Raises Unreadable where brackets or quotes do not pair, an element is missing, or there are more than
    `at_most` marks to look at: brackets, and commas between items.
    """
    body = body.strip(_BLANK)
    depth, start, at = 0, 1, 0
    for _ in range(at_most if body[:1] in (b"{", b"[") else 0):
        token = (_INNER if depth > 1 else _TOKEN).match(body, at)
        if token is None or (mark := token[1]) == b'"':
            break
        at = token.end()
        if mark in {b"{", b"["}:
            depth += 1
            continue
        if mark in {b"}", b"]"}:
            depth -= 1
        if depth > 1 or (depth == 1 and mark != b","):
            continue
        element = body[start : at - 1].strip(_BLANK)
        if not element and (depth == 1 or start > 1):
            break
        if depth == 0 and at < len(body):
            break
        if element:
            yield element
        if depth == 0:
            return
        start = at
    raise Unreadable("the JSON is malformed: its brackets or quotes do not match")


def members(body: bytes, at_most: int = MAX_MARKS) -> dict[str, bytes]:
    """Return the exact bytes of each value of a JSON object, by its key; the last of duplicates.

    Raises as `slices` does, and where a member has no key.
    """
    found: dict[str, bytes] = {}
    for member in slices(body, at_most):
        key = _MEMBER.match(member)
        if key is None:
            raise Unreadable("the JSON object has a member without a key")
        found[decode(key[1])] = member[key.end() :]
    return found


def is_object(body: bytes) -> bool:
    """Say whether the body starts like a JSON object."""
    return body.lstrip(_BLANK).startswith(b"{")


def is_array(body: bytes) -> bool:
    """Say whether the body starts like a JSON array."""
    return body.lstrip(_BLANK).startswith(b"[")


def _reason(error: msgspec.DecodeError, body: bytes) -> str:
    reason = str(error).removeprefix("JSON is malformed: ")
    cut_short = "truncated" in reason
    if "surrogate" in reason or (cut_short and _HALF_AT_END.search(body, max(0, len(body) - 12))):
        return _HALF
    return reason[:1].lower() + reason[1:]


def _is_json(body: bytes) -> bool:
    """Say whether the grammar of JSON admits the body, whatever we can keep of it.

    Python's reader is looser, by NaN and Infinity, and by itself stops at integers of 4,300 digits. Of a body
    that nests too deep for it, brackets and quotes must pair.
    """
    try:
        json.loads(body, parse_constant=_refused, parse_int=str)
    except RecursionError:
        return _pairs(body)
    except ValueError:
        return False
    return True


def _pairs(body: bytes) -> bool:
    try:
        deque(slices(body), maxlen=0)
    except Unreadable:
        return False
    return True


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _count(value: Any, within: str) -> int:
    if type(value) is list:
        return len(value) + (
            sum(_count(item, within) for item in value if type(item) is dict) if within else 0
        )
    items = value.get(within) if type(value) is dict else None
    return len(items) if type(items) is list else 0


def _salvage(body: bytes, within: str) -> Any:
    if is_array(body):
        return _items(body, within)
    if not (within and is_object(body)):
        raise Unreadable("the JSON has no items")
    parts = members(body)
    items = parts.pop(within, b"")
    if not is_array(items):
        raise Unreadable("the JSON has no items")
    value = {key: decode(raw) for key, raw in parts.items()}
    value[within] = _items(items, "")
    return value


def _items(body: bytes, within: str) -> list[Any]:
    found = [_item(raw, within) for raw in islice(slices(body), MAX_ITEMS + 1)]
    if len(found) > MAX_ITEMS:
        raise TooLarge(TOO_MANY)
    return found


def _item(raw: bytes, within: str) -> Any:
    try:
        return decode_items(raw, within) if within and is_object(raw) else decode(raw)
    except Unreadable as error:
        return MalformedItem(raw, error.message)


def _too_deep() -> str:
    return f"the JSON nests deeper than {MAX_DEPTH} levels"


def _may_be_deep(body: bytes) -> bool:
    """Rule out depth at the speed of C: strip innermost pairs of brackets, a level a time.

    Brackets that are left after the levels of real messages, or are in strings, are at worst a false alarm.
    """
    brackets = body.translate(None, _NOT_BRACKETS)
    if len(brackets) <= 2 * MAX_DEPTH:
        return False
    for _ in range(_USUAL_DEPTH):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            if node and (type(node) is dict or type(node) is list)
            for child in (node.values() if type(node) is dict else node)
        ]
        if not level:
            return False
    return any(type(node) is dict or type(node) is list for node in level)
