"""The decoded message of a source."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Message(Struct, frozen=True):
    """One call or event as a source sent it.

    `key` is its dedupe key, unique within the source (`contracts`: messageId for Segment,
    source_message_id with the event type for mParticle). `document` is the input of mappings.
    `replayed` marks history that a source sends again: it is mapped and stored, but nothing is issued for it.
    """

    source: str
    key: str
    document: dict[str, Any]
    received_at: datetime
    replayed: bool = False
