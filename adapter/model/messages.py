"""What a source sent, decoded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct


class Message(Struct, frozen=True):
    """One call or event as a source sent it.

    `key` is its dedupe key, unique within the source (`contracts`: messageId for Segment,
    source_message_id with the event type for mParticle). `document` is what mappings see.
    `replayed` marks history that a source sends again: mapped and stored, but never rewarded.
    """

    source: str
    key: str
    document: dict[str, Any]
    received_at: datetime
    replayed: bool = False
