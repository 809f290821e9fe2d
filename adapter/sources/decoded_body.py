"""What one request body decodes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined
from adapter.sources import payloads

#: What a batch says for all of its messages is kept with each: at most so many times the bound of one.
_REPEATED = 64


class Bounds(Struct, frozen=True):
    """How many bytes one `message` may have, with what its batch says for all of its messages.

    Long bodies are decoded slice by slice: so many messages, of so many bytes.
    """

    message: int = 262_144
    slice_messages: int = 350
    slice_bytes: int = 262_144

    def fits(self, shared: int, count: int) -> bool:
        """Say whether each of so many messages can be kept with what their batch says for all of them."""
        return shared <= self.message and shared * count <= _REPEATED * self.message

    def exceeded(self, what: str) -> str:
        """Return why something is rejected."""
        return f"{what} is over {self.message} bytes, the bound of `ingest.max_event_bytes`"

    def repeated(self, count: int) -> str:
        """Return why a batch is rejected whose common part would be stored with each of `count` messages."""
        return (
            f"what the batch says for all of its {count} messages is too large to be kept with each of them"
        )


class Decoded(Struct):
    """Every item of one body: a message, a quarantined item, or dropped.

    Messages are in the order in which they should be processed. Those of one batch may share parts of their
    documents, so a document must not be changed. `dropped` counts our own events coming back,
    of `source`. `size` is in bytes, where this is a part of a body.
    """

    messages: list[Message]
    quarantined: list[Quarantined]
    dropped: int = 0
    size: int = 0
    source: str = ""


def undecoded(source: str, item: Any, reason: str, received_at: datetime) -> Quarantined:
    """Keep an item whole that is not a message: bytes that cannot be decoded, or a value.

    The document is a JSON string, the item's text. No mapping file can fix it, so a replay must not take
    it as a message; a person reads it.
    """
    raw = item if isinstance(item, bytes) else msgspec.json.encode(item)
    document = msgspec.json.encode(raw.decode("utf-8", "backslashreplace"))
    return Quarantined(source, hash_key(document), Raw(document), reason, received_at)


class Origin(Struct, frozen=True):
    """The source of a long body, when it was received, and the bounds of its messages."""

    source: str
    received_at: datetime
    bounds: Bounds

    def sliced(
        self, items: Iterable[Raw | bytes], take: Callable[[Decoded, Any], None], shared: int = 0
    ) -> Iterator[Decoded]:
        """Yield what `take` makes of items, slice by slice; each is counted with what all of them share.

        An item that is over the bound with that is quarantined without being decoded.
        """
        decoded, bounds = Decoded([], [], source=self.source), self.bounds
        for raw in items:
            size = shared + len(memoryview(raw))
            full = len(decoded.messages) + len(decoded.quarantined) >= bounds.slice_messages
            if full or (decoded.size and decoded.size + size > bounds.slice_bytes):
                yield decoded
                decoded = Decoded([], [], source=self.source)
            decoded.size += size
            if size > bounds.message:
                self.refuse(decoded, raw, bounds.exceeded("the message"))
            else:
                take(decoded, payloads.element(raw))
        yield decoded

    def refuse(self, decoded: Decoded, raw: Raw | bytes, reason: str) -> None:
        """Quarantine an item as it came, undecoded."""
        decoded.quarantined.append(undecoded(self.source, bytes(raw), reason, self.received_at))

    def refused(self, body: Raw | bytes, reason: str) -> Iterator[Decoded]:
        """Return the one slice of a body that is quarantined as it came."""
        decoded = Decoded([], [], size=len(memoryview(body)), source=self.source)
        self.refuse(decoded, body, reason)
        return iter((decoded,))


def bounded_key(key: str) -> str:
    """Return the key, or its hash where it is too long or too strange for a store's index."""
    return key if len(key) <= 200 and key.isprintable() else hash_key(key.encode("utf-8", "backslashreplace"))


def content_key(item: Any) -> str:
    """Return the key of an item without an id: the hash of its content, whatever the order of its keys."""
    return hash_key(msgspec.json.encode(item, order="deterministic"))


def hash_key(content: bytes) -> str:
    """Return `sha256:` and 64 hex digits."""
    return "sha256:" + sha256(content).hexdigest()
