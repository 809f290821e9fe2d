"""Whether a document mentions one of some people, wherever in it their ids and addresses stand."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

import msgspec

from adapter.model.emails import found_in, normal, spellings
from adapter.model.quarantine import Quarantined

#: Ids of so many characters are looked for everywhere, shorter ones where a document names people alone.
LONG = 8
#: Ids of so many characters are never part of another one that goes on behind a dash or a point.
_UNIQUE = 16
_JOINTS = "-.@+"
#: How often a text may be percent-encoded over again.
_LAYERS = 3


class Mentions:
    """Names of erased people. Those in `common` are found only where a document names people.

    `addresses` are in their normal spelling.
    """

    def __init__(self, names: Iterable[str], common: Container[str] = ()) -> None:
        self._names = frozenset(names)
        self.addresses = frozenset(address for name in self._names if (address := normal(name)) is not None)
        self._long = tuple(
            _folded(name)
            for name in self._names
            if len(name) >= LONG and normal(name) is None and name not in common
        )

    def stand_in(self, message: Quarantined) -> bool:
        """Say whether a quarantined message mentions one of them."""
        if not self._names.isdisjoint(message.names()):
            return True
        text = _text(bytes(message.document))
        return any(map(self._spelt, _decoded(text))) or not self.addresses.isdisjoint(found_in(text))

    def _spelt(self, text: str) -> bool:
        folded = _folded(text)
        return any(name in folded and _whole(name, folded) for name in self._long)


def _folded(text: str) -> str:
    """Return a text in any case and any Unicode form."""
    if text.isascii():
        return text.lower()
    return normalize("NFKC", normalize("NFKC", text).casefold())


def _decoded(text: str) -> Iterator[str]:
    """Yield a text in every spelling, percent-encoding taken off whatever was encoded."""
    for plain in spellings(text):
        yield plain
    for _ in range(_LAYERS):
        if "%" not in plain or (bare := unquote(plain)) == plain:
            return
        yield (plain := bare)


def _text(document: bytes) -> str:
    """Return all that a document says, a text a line; of one that is no JSON, all of it."""
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


def _whole(name: str, text: str) -> bool:
    """Say whether a name stands in a text and is not part of a longer one."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _goes_on(name, text[max(0, at - 2) : at][::-1]) and not _goes_on(name, text[end : end + 2]):
            return True
        at = text.find(name, at + 1)
    return False


def _goes_on(name: str, beside: str) -> bool:
    """Say whether the two characters beside a name, the nearer first, belong to a longer one."""
    if _is_word(beside[:1]):
        return True
    return len(name) < _UNIQUE and len(beside) == 2 and beside[0] in _JOINTS and _is_word(beside[1])


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
