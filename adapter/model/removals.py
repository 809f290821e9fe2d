"""Removal of an email address, or of ids, of erased people from the data of other customers.

Ids are found as in quarantined messages (`mentions`): as a whole, in any case and Unicode form, also
percent-encoded. In a stored document only data that senders chose are changed. Below some keys (`_FREE`)
these are keys, texts and whole numbers; elsewhere texts only, except values that the program itself writes
(`_KEPT`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

import msgspec
from msgspec import Struct

from adapter.model.emails import ERASED, cleaned, found_in, without, without_in
from adapter.model.mentions import decoded, folded, is_whole, places

#: Below these keys senders chose keys and values.
_FREE = frozenset({"attributes", "context", "traits", "properties", "metadata", "address", "groups"})
#: Below these keys senders chose the keys only.
_KEYED = frozenset({"told_at"})
#: Values below these keys are written by the program, or identify the customer of the document.
_KEPT = frozenset({
    "source_id", "known_as", "identities", "merged", "segments", "status", "state", "type", "event", "rule",
    "outcome", "guardrail", "code", "codes", "currency", "action", "book", "claims", "restored", "refundable",
    "on_refund", "unevaluated", "destination", "occurred_at", "redemption",
})  # fmt: skip
#: Tables with keys that senders chose; the program generates the keys of the others.
_KEYS = frozenset({"events"})
_WORD = re.compile("[0-9a-z]+")
#: An escape of JSON, which may precede a word.
_ESCAPE = re.compile(r"\\+(?:u[0-9a-f]{4}|.)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|-?[0-9][0-9.eE+-]*')
_NUMBER = re.compile(r"(-?[0-9]+)(?:\.0+)?")


class Removal(Protocol):
    """A removal; `address` is the email address in normal form, empty if ids are removed."""

    @property
    def address(self) -> str:
        """The address that is removed."""
        ...

    def is_key(self, table: str, text: str) -> bool:
        """Return whether a row of a table with this text in its key is deleted."""
        ...

    def text(self, text: str) -> str:
        """Return a text after the removal."""
        ...

    def document(self, document: bytes, table: str) -> bytes:
        """Return a JSON document of a table after the removal; the rest is unchanged to the byte."""
        ...

    def sparing(self, names: Collection[str]) -> Removal:
        """Return the removal for the data of a customer with these ids."""
        ...


class AddressRemoval(Struct, frozen=True):
    """The removal of an email address in normal form."""

    address: str

    def is_key(self, table: str, text: str) -> bool:
        """Return whether a key contains the address."""
        return self.address in found_in(text)

    def text(self, text: str) -> str:
        """Return a text without the address."""
        return without(text, self.address)

    def document(self, document: bytes, table: str) -> bytes:
        """Return a document without the address."""
        return without_in(document, self.address)

    def sparing(self, names: Collection[str]) -> AddressRemoval:
        """Return the same: the caller removes no address that another customer has."""
        return self


class IdRemoval:
    """The removal of `ids` (folded). The cost for a document without them does not depend on their number."""

    address = ""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = frozenset(map(folded, ids))
        self._by_word: dict[str, list[str]] = {}
        for name in self.ids:
            # A text that contains the id as a whole contains each word of it as a word.
            self._by_word.setdefault(max(_WORD.findall(name), key=len, default=""), []).append(name)

    def is_key(self, table: str, text: str) -> bool:
        """Return whether a key that senders chose contains an id."""
        return table in _KEYS and self.contains(text)

    def sparing(self, names: Collection[str]) -> IdRemoval:
        """Return the removal of the ids that none of the customer's own ids contains."""
        own = [folded(name) for name in names]
        kept = {each for each in self.ids if not any(is_whole(each, name) for name in own)}
        return self if len(kept) == len(self.ids) else IdRemoval(kept)

    def may_contain(self, document: bytes) -> bool:
        """Return whether a document contains a word of an id: quick, with false positives only."""
        words = self._by_word.keys()
        return "" in words or any(not words.isdisjoint(found) for found in _words(document))

    def contains(self, text: str) -> bool:
        """Return whether a text contains an id in any spelling."""
        return any(self._spans(folded(plain)) for plain in decoded(text))

    def found_in(self, text: str) -> set[str]:
        """Return the ids that a text contains in any spelling."""
        spelt = map(folded, decoded(text))
        return {plain[start:stop] for plain in spelt for start, stop in self._spans(plain)}

    def text(self, text: str) -> str:
        """Return a text without the ids; the text around them is kept as far as possible."""
        if not self.contains(text):
            return text
        return cleaned(self._cut(text), self.contains)

    def document(self, document: bytes, table: str) -> bytes:
        """Return a document without the ids."""
        if not self.may_contain(document):
            return document
        return _Rewriting(self, table).rewritten(document.decode("utf-8", "replace")).encode()

    def _cut(self, text: str) -> str:
        plain = folded(text)
        if len(plain) != len(text):
            return text
        kept, end = "", 0
        for start, stop in sorted(self._spans(plain)):
            if start >= end:
                kept += text[end:start] + ERASED
            end = max(end, stop)
        return kept + text[end:]

    def _spans(self, plain: str) -> list[tuple[int, int]]:
        words = {"", *_WORD.findall(plain)} & self._by_word.keys()
        names = (name for word in words for name in self._by_word[word])
        return [(at, at + len(name)) for name in names for at in places(name, plain)]


class _Level(Struct):
    """An open object or array; `key` is that of the current member.

    `zone` says what may change in it: `typed` texts, `free` everything, `keyed` keys only, `kept` nothing.
    """

    is_object: bool
    zone: str
    key: str | None = None


class _Rewriting:
    """The rewriting of one document of a table."""

    def __init__(self, removal: IdRemoval, table: str) -> None:
        self._removal = removal
        # The name of a customer is text; that of an event is a term of the rules.
        self._kept = _KEPT if table == "customers" else _KEPT | {"name"}
        self._levels: list[_Level] = []

    def rewritten(self, text: str) -> str:
        """Return the document after the removal."""
        return _TOKEN.sub(self._piece, text)

    def _piece(self, match: re.Match[str]) -> str:
        piece = match[0]
        if piece in "{[":
            self._levels.append(_Level(piece == "{", self._zone()))
        elif piece in "}]":
            self._levels.pop()
        elif piece == ",":
            self._levels[-1].key = None
        elif piece[0] == '"':
            return self._text(piece)
        elif self._zone() == "free" and (number := _NUMBER.fullmatch(piece)):
            return piece if self._removal.text(number[1]) == number[1] else f'"{ERASED}"'
        return piece

    def _zone(self) -> str:
        """Return the zone of the next value."""
        if not self._levels:
            return "typed"
        level = self._levels[-1]
        if level.zone != "typed" or level.key is None:
            return level.zone
        zones = {"free": _FREE, "keyed": _KEYED, "kept": self._kept}
        return next((zone for zone, keys in zones.items() if level.key in keys), "typed")

    def _text(self, token: str) -> str:
        said = str(msgspec.json.decode(token))
        level = self._levels[-1] if self._levels else None
        if level is not None and level.is_object and level.key is None:
            level.key = said
            kept = self._key(said, level.zone)
        else:
            kept = self._removal.text(said) if self._zone() in ("free", "typed") else said
        return token if kept == said else msgspec.json.encode(kept).decode()

    def _key(self, key: str, zone: str) -> str:
        # A key without a digit is more likely the name of a field.
        if zone not in ("free", "keyed") or not any(map(str.isdigit, key)):
            return key
        prefix, dot, name = key.partition(".") if zone == "keyed" else ("", "", key)
        return prefix + dot + self._removal.text(name)


def _words(document: bytes) -> Iterator[list[str]]:
    """Yield the words of a document, in each of its spellings."""
    if document.isascii() and not any(mark in document for mark in (b"%", b"\\", b"&")):
        yield _WORD.findall(document.lower().decode())
        return
    for plain in decoded(document.decode("utf-8", "replace")):
        text = folded(plain)
        yield _WORD.findall(text)
        if "\\" in text:
            yield _WORD.findall(_ESCAPE.sub(" ", text))
