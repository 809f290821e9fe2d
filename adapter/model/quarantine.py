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

#: Longer documents are kept compressed, and lists show so many of their bytes.
SHOWN = 4_096
#: In longer texts only what stands right behind a naming key counts: they are not decoded.
_LONG = 262_144
#: So many addresses of a document are names at most.
_ADDRESSES = 1_000
#: How keys end, in lower-case letters alone, whose value names a person.
_NAMING = (
    "userid", "anonymousid", "previousid", "sourceid", "customerid", "mpid", "email", "contactid", "memberid",
    "profileid", "personid", "visitorid", "subscriberid", "shopperid", "buyerid",
)  # fmt: skip
#: Keys below which every value names a person, but for what says of which kind it is.
_IDENTITIES = frozenset({"identities", "useridentities", "subjectidentities", "externalids", "emails"})
_KINDS = frozenset({"identitytype", "type", "kind", "encoding", "collection"})
#: Keys that hold a person, by an id alone or as an object with one of `_OWN`.
_PEOPLE = frozenset({
    "user", "customer", "contact", "person", "profile", "member", "visitor", "shopper", "buyer", "subscriber",
    "client",
})  # fmt: skip
_OWN = frozenset({"id", "uid", "key", "ref", "externalid", "number", "uuid"})
#: A key and its value, a text or a number.
_MEMBER = re.compile(r'"([^"\\]{1,80})"\s*:\s*"?([^"\\,\]}]{1,512})')


class Quarantined(Struct, frozen=True):
    """A message kept whole with its reason, to be replayed after the file is mended.

    `document` is the message's document as JSON. `id` is 0 until the store has given it one. `replayed` marks
    history as `Message` does: when it is mapped at last, nothing is issued.
    """

    source: str
    key: str
    document: Raw
    reason: str
    received_at: datetime
    id: int = 0
    replayed: bool = False

    def names(self) -> set[str]:
        """Return every id under a key that names a person, and email addresses, wherever they stand.

        Of addresses, in their normal spelling, only so many are returned, and of long documents none. An item
        that could not be decoded is kept as text, and that text is looked into. Of text that is no JSON, what
        stands right behind a naming key counts.
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
    """A message as it is kept where its document is long: `document` is the beginning, as a JSON string.

    `whole` is all of it, compressed, `size` what it has in bytes, `named` whom it names.
    """

    whole: bytes = b""
    size: int = 0
    named: frozenset[str] = frozenset()

    def names(self) -> set[str]:
        """Return whom the whole document names."""
        return set(self.named)


class Excerpt(Struct, frozen=True):
    """A quarantined message as lists show it: where `truncated`, `document` is a text, its first 4 KB.

    `size` is what the whole document has in bytes.
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
    """A quarantined message in short: why it earned nothing, and where it is found `whole`."""

    id: int
    source: str
    key: str
    reason: str
    received_at: datetime
    whole: str


def unmapped(each: Excerpt) -> Unmapped:
    """Return a quarantined message in short."""
    return Unmapped(
        each.id, each.source, each.key, each.reason, each.received_at, f"/v1/quarantine/{each.id}"
    )


def packed(message: Quarantined) -> Quarantined:
    """Return a message as it is kept: one with a long document Packed."""
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
    """Return the document of what is packed."""
    return Raw(zlib.decompress(whole))


def _names_in_text(text: str) -> Iterator[str]:
    if len(text) > _LONG:
        yield from (found[2] for found in _MEMBER.finditer(text) if _tells(_plain(found[1]), naming=False))
        return
    try:
        document = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        yield from (value for key, value in _MEMBER.findall(text) if _tells(_plain(key), naming=False))
    else:
        # Half a surrogate pair is JSON, but nobody's name.
        yield from (name for name in _names(document) if is_utf8(name))


def _names(document: Any) -> Iterator[str]:
    """Yield names; what waits is known to stand in the place of a name, or to be a person's own object."""
    waiting: list[tuple[Any, bool, bool]] = [(document, False, False)]
    while waiting:
        value, naming, person = waiting.pop()
        if isinstance(value, dict):
            for key, below in value.items():
                plain = _plain(key)
                own = person and plain in _OWN
                waiting.append((below, own or _tells(plain, naming), plain in _PEOPLE))
        elif isinstance(value, list):
            waiting += [(below, naming, person) for below in value]
        elif (naming or person) and isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)


def _plain(key: str) -> str:
    return "".join(character for character in key.lower() if character.isalnum())


def _tells(plain: str, naming: bool) -> bool:
    """Say whether what stands under a key names a person, `naming` when all around it does."""
    return plain.endswith(_NAMING) or plain in _IDENTITIES or (naming and plain not in _KINDS)
