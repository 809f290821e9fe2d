"""Messages that could not be mapped or decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

#: Keys, in lower-case letters alone, whose value names a person.
_NAMING = frozenset({"userid", "anonymousid", "previousid", "sourceid", "customerid", "mpid", "email"})
#: Keys below which every value names a person, but for what says of which kind it is.
_IDENTITIES = frozenset({"identities", "useridentities", "subjectidentities", "externalids"})
_KINDS = frozenset({"identitytype", "type", "kind", "encoding", "collection"})


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
        """Return every id and email under which the document names a person, wherever in it they stand.

        A document that is no JSON names nobody.
        """
        try:
            return set(_names(msgspec.json.decode(self.document)))
        except (msgspec.DecodeError, RecursionError):
            return set()


def _names(document: Any) -> Iterator[str]:
    waiting: list[tuple[Any, bool]] = [(document, False)]
    while waiting:
        value, naming = waiting.pop()
        if isinstance(value, dict):
            waiting += [(below, _tells(key, naming)) for key, below in value.items()]
        elif isinstance(value, list):
            waiting += [(below, naming) for below in value]
        elif naming and isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)


def _tells(key: str, naming: bool) -> bool:
    """Say whether what stands under a key names a person, `naming` when all around it does."""
    plain = "".join(character for character in key.lower() if character.isalnum())
    return plain in _NAMING or plain in _IDENTITIES or (naming and plain not in _KINDS)
