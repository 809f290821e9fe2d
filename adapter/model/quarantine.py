"""Messages that could not be mapped or decided."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.emails import each_in, may_hold
from adapter.model.ids import is_utf8

#: Bytes of a document in lists; longer documents are stored compressed.
SHOWN = 4_096
#: Longer texts are not decoded: only the value directly after a naming key counts.
_LONG = 262_144
#: Maximum number of addresses of a document that are returned as names.
_ADDRESSES = 1_000
#: Endings of keys whose value names a person, in lower-case letters.
_NAMING = (
    "userid", "anonymousid", "previousid", "sourceid", "customerid", "mpid", "email", "contactid", "memberid",
    "profileid", "personid", "visitorid", "subscriberid", "shopperid", "buyerid",
)  # fmt: skip
#: Keys below which every value names a person, except those under `_KINDS`.
_IDENTITIES = frozenset({"identities", "useridentities", "subjectidentities", "externalids", "emails"})
_KINDS = frozenset({"identitytype", "type", "kind", "encoding", "collection"})
#: Keys of a person: an id, or an object with one of `_OWN`.
_PEOPLE = frozenset({
    "user", "customer", "contact", "person", "profile", "member", "visitor", "shopper", "buyer", "subscriber",
    "client",
})  # fmt: skip
_OWN = frozenset({"id", "uid", "key", "ref", "externalid", "number", "uuid"})
#: A key and its value, a text or a number.
_MEMBER = re.compile(r'"([^"\\]{1,80})"\s*:\s*"?([^"\\,\]}]{1,512})')


class Quarantined(Struct, frozen=True):
    """A message stored whole with the reason, to be replayed after the mapping file is corrected.

    `document` is the message's document as JSON. `id` is 0 until the store assigns one. `replayed` marks
    history as in `Message`: when it is mapped later, nothing is issued.
    """

    source: str
    key: str
    document: Raw
    reason: str
    received_at: datetime
    id: int = 0
    replayed: bool = False

    def names(self) -> set[str]:
        """Return every id under a key that names a person, and email addresses anywhere.

        Addresses are in normal form, at most `_ADDRESSES`, and none of documents longer than `_LONG`. An item
        that could not be decoded is stored as text, and this text is searched. In text that is not JSON, only
        the value directly after a naming key counts.
        """
        try:
            document = msgspec.json.decode(self.document)
        except (msgspec.DecodeError, RecursionError):
            return set()
        names = set(_names_in_text(document) if isinstance(document, str) else _names(document))
        raw = bytes(self.document)
        if len(raw) <= _LONG and may_hold(raw):
            names.update(islice(each_in(raw.decode("utf-8", "replace")), _ADDRESSES))
        return names


class Packed(Quarantined, frozen=True):
    """A message with a long document, as stored: `document` is the beginning, as a JSON string.

    `whole` is the whole document, compressed, `size` its length in bytes, `named` the names in it.
    """

    whole: bytes = b""
    size: int = 0
    named: frozenset[str] = frozenset()

    def names(self) -> set[str]:
        """Return the names in the whole document."""
        return set(self.named)


class Reason(Struct, frozen=True):
    """Why a message is in quarantine, without its document."""

    id: int
    source: str
    reason: str
    received_at: datetime


class Excerpt(Struct, frozen=True):
    """A quarantined message in a list: if `truncated`, `document` is a text, its first 4 KB.

    `size` is the length of the whole document in bytes.
    """

    source: str
    key: str
    document: Raw
    reason: str
    received_at: datetime
    id: int
    replayed: bool
    size: int
    truncated: bool


class Unmapped(Struct):
    """The summary of a quarantined message: the reason, and the path of the `whole` message."""

    id: int
    source: str
    key: str
    reason: str
    received_at: datetime
    whole: str


def unmapped(each: Excerpt) -> Unmapped:
    """Return the summary of a quarantined message."""
    return Unmapped(
        each.id, each.source, each.key, each.reason, each.received_at, f"/v1/quarantine/{each.id}"
    )


def packed(message: Quarantined) -> Quarantined:
    """Return a message as it is stored: one with a long document is Packed."""
    if isinstance(message, Packed) or len(memoryview(message.document)) <= SHOWN:
        return message
    document = bytes(message.document)
    return Packed(
        message.source,
        message.key,
        beginning(document),
        message.reason,
        message.received_at,
        message.id,
        message.replayed,
        zlib.compress(document, 1),
        len(document),
        frozenset(message.names()),
    )


def beginning(document: bytes) -> Raw:
    """Return the first bytes of a long document, as a JSON string."""
    return Raw(msgspec.json.encode(document[:SHOWN].decode("utf-8", "ignore")))


def unpacked(whole: bytes) -> Raw:
    """Return the document of a packed message."""
    return Raw(zlib.decompress(whole))


def _names_in_text(text: str) -> Iterator[str]:
    if len(text) > _LONG:
        yield from (
            found[2] for found in _MEMBER.finditer(text) if _is_naming(_plain(found[1]), naming=False)
        )
        return
    try:
        document = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        yield from (value for key, value in _MEMBER.findall(text) if _is_naming(_plain(key), naming=False))
    else:
        # Half a surrogate pair is valid JSON, but not a valid name.
        yield from (name for name in _names(document) if is_utf8(name))


def _names(document: Any) -> Iterator[str]:
    """Yield names. The stack holds values, whether each is under a naming key, and whether it is a person."""
    waiting: list[tuple[Any, bool, bool]] = [(document, False, False)]
    while waiting:
        value, naming, person = waiting.pop()
        if isinstance(value, dict):
            for key, below in value.items():
                plain = _plain(key)
                own = person and plain in _OWN
                waiting.append((below, own or _is_naming(plain, naming), plain in _PEOPLE))
        elif isinstance(value, list):
            waiting += [(below, naming, person) for below in value]
        elif (naming or person) and isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)


def _plain(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())


def _is_naming(plain: str, naming: bool) -> bool:
    """Return whether the value under a key names a person; `naming` if the enclosing values do."""
    return plain.endswith(_NAMING) or plain in _IDENTITIES or (naming and plain not in _KINDS)
