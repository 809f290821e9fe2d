"""What one request body decodes to."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.messages import Message
from adapter.model.quarantine import Quarantined


class Decoded(Struct):
    """Every item of one body: a message, a quarantined item, or dropped.

    Messages stand in the order in which they should be worked; those of one batch may share parts of
    their documents, so a document must not be changed. `dropped` counts our own events coming back.
    `size` is in bytes, where this is a part of a body.
    """

    messages: list[Message]
    quarantined: list[Quarantined]
    dropped: int = 0
    size: int = 0


def undecoded(source: str, item: Any, reason: str, received_at: datetime) -> Quarantined:
    """Keep whole an item that is no message: bytes that cannot be decoded, or a value that can.

    The document is a JSON string, the item's text. No mapping file can mend it, so a replay must not take
    it for a message; a person reads it.
    """
    raw = item if isinstance(item, bytes) else msgspec.json.encode(item)
    document = msgspec.json.encode(raw.decode("utf-8", "backslashreplace"))
    return Quarantined(source, hash_key(document), Raw(document), reason, received_at)


def bounded_key(key: str) -> str:
    """Return the key, or its hash where it is too long or too strange for a store's index."""
    return key if len(key) <= 200 and key.isprintable() else hash_key(key.encode("utf-8", "backslashreplace"))


def content_key(item: Any) -> str:
    """Return the key of an item without an id: the hash of its content, whatever the order of its keys."""
    return hash_key(msgspec.json.encode(item, order="deterministic"))


def hash_key(content: bytes) -> str:
    """Return `sha256:` and 64 hex digits."""
    return "sha256:" + sha256(content).hexdigest()
