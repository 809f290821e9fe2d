"""Segment's calls as messages, however they came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapter.model.messages import Message
from adapter.sources.decoded import Decoded, bounded_key, content_key, undecoded
from adapter.sources.payloads import Broken

SOURCE = "segment"


def message(item: dict[str, Any], received_at: datetime) -> Message:
    """Return one call as a message; one without a `messageId` is given its content's hash as such.

    The key is `messageId:type`, for calls of several types may share a messageId.
    """
    identifier = item.get("messageId")
    if type(identifier) is int:
        identifier = str(identifier)
    if type(identifier) is not str or not identifier:
        identifier = item["messageId"] = content_key(item)
    return Message(SOURCE, bounded_key(f"{identifier}:{item.get('type')}"), item, received_at)


def refuse(decoded: Decoded, item: Any, received_at: datetime) -> None:
    """Quarantine an item that is no call, with the reason."""
    if isinstance(item, Broken):
        entry = undecoded(SOURCE, item.raw, item.reason, received_at)
    elif isinstance(item, dict):
        entry = undecoded(SOURCE, item, "the item is form-encoded; take the Content-Type header out of the "
                          "webhook's settings so that Segment sends JSON", received_at)  # fmt: skip
    else:
        entry = undecoded(SOURCE, item, "the item is not a Segment message, which is an object", received_at)
    decoded.quarantined.append(entry)
