"""Requests as the sources send them: paths, headers and signatures, for `adapter send`.

The facts of each sender are in its own package (`segment.sending`, `mparticle.sending`), and for people in
docs/signatures.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.settings.values import Settings


class Request(Struct, frozen=True):
    """One POST: its path, its headers, its body, and how many messages or batches it has."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    items: int


class Shape(Struct, frozen=True):
    """A way in which a source sends.

    `pack` makes one request of items, with the credentials of the settings. `most` is how many items a
    request may have. `takes` says whether an item is of this way.
    """

    name: str
    source: str
    meaning: str
    pack: Callable[[Sequence[bytes], Settings], Request]
    takes: Callable[[Any], bool]
    most: int = 1

    def requests(self, items: Sequence[bytes], settings: Settings, size: int) -> Iterator[Request]:
        """Yield the requests for items, of at most `size` each where this way has batches."""
        step = min(self.most, max(size, 1))
        for start in range(0, len(items), step):
            yield self.pack(items[start : start + step], settings)


def joined(items: Sequence[bytes]) -> bytes:
    """Return items of JSON as an array, each with its own bytes."""
    return b"[" + b",".join(items) + b"]"
