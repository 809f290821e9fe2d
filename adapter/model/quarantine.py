"""Messages that could not be mapped or decided."""

from __future__ import annotations

from datetime import datetime

from msgspec import Raw, Struct


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
