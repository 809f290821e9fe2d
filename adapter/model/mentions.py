"""Find out whether a document mentions given people, by their ids and addresses anywhere in it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

import msgspec

from adapter.model.emails import found_in, normal, spellings
from adapter.model.quarantine import Quarantined

#: Ids of at least this many characters are searched for everywhere, shorter ones only under naming keys.
LONG = 8
#: Ids of at least this many characters count as whole also before a dash or a point.
_UNIQUE = 16
_JOINTS = "-.@+"
#: Layers of percent-encoding that are decoded.
_LAYERS = 3


class Mentions:
    """Names of erased people. Those in `common` are searched for only under naming keys.

    `addresses` are in normal form. `ids` are the other names that are found anywhere.
    """

    def __init__(self, names: Iterable[str], common: Container[str] = ()) -> None:
        self._names = frozenset(names)
        self.addresses = frozenset(address for name in self._names if (address := normal(name)) is not None)
        self.ids = frozenset(
            name for name in self._names if len(name) >= LONG and normal(name) is None and name not in common
        )
        self._long = tuple(map(folded, self.ids))
        self._words = [_words(name) for name in self._names]

    def stand_in(self, message: Quarantined) -> bool:
        """Return whether a quarantined message mentions one of them."""
        if not self._names.isdisjoint(message.names()):
            return True
        text = texts_in(bytes(message.document))
        return any(map(self._spelt, decoded(text))) or not self.addresses.isdisjoint(found_in(text))

    def may_stand_in(self, document: bytes) -> bool:
        """Return whether `stand_in` must be asked: whether a JSON document may mention one of them.

        Letters and digits are spelled in one way, but in percent-encoding, escapes and other scripts.
        """
        if b"%" in document or b"\\" in document or not document.isascii():
            return True
        lower = document.lower()
        return any(all(word in lower for word in words) for words in self._words)

    def _spelt(self, text: str) -> bool:
        plain = folded(text)
        return any(name in plain and is_whole(name, plain) for name in self._long)


def _words(name: str) -> list[bytes]:
    """Return what stands in a plain ASCII document that mentions a name."""
    return [word.lower().encode() for word in re.findall(r"[A-Za-z0-9]+", name)]


def folded(text: str) -> str:
    """Return a text in any case and any Unicode form."""
    if text.isascii():
        return text.lower()
    return normalize("NFKC", normalize("NFKC", text).casefold())


def decoded(text: str) -> Iterator[str]:
    """Yield a text in every spelling, with each layer of percent-encoding decoded."""
    for plain in spellings(text):
        yield plain
    for _ in range(_LAYERS):
        if "%" not in plain or (bare := unquote(plain)) == plain:
            return
        yield (plain := bare)


def texts_in(document: bytes) -> str:
    """Return all texts of a JSON document, one a line; of another document the whole text."""
    try:
        return "\n".join(_texts(msgspec.json.decode(document)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return document.decode("utf-8", "replace")


def _texts(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, float) and value.is_integer():
            yield str(int(value))
        elif value is not None:
            yield str(value)


def is_whole(name: str, text: str) -> bool:
    """Return whether a text contains a name that is not part of a longer one."""
    return next(places(name, text), None) is not None


def places(name: str, text: str) -> Iterator[int]:
    """Yield the positions of a name in a text where it is not part of a longer one."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _goes_on(name, text[max(0, at - 2) : at][::-1]) and not _goes_on(name, text[end : end + 2]):
            yield at
        at = text.find(name, at + 1)


def _goes_on(name: str, adjacent: str) -> bool:
    """Return whether the two characters next to a name, the nearer first, belong to a longer one."""
    if _is_word(adjacent[:1]):
        return True
    return len(name) < _UNIQUE and len(adjacent) == 2 and adjacent[0] in _JOINTS and _is_word(adjacent[1])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
