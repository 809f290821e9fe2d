"""Messages that match no mapping, counted by source, type and event name."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Ignored(Struct, frozen=True):
    """The number of messages of one source, type and event name without a mapping; no personal data.

    `event` is empty where messages have none, an invalid one, or where there were too many names.
    """

    source: str
    type: str
    event: str
    count: int
    first_at: datetime
    last_at: datetime
