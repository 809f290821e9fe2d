"""Messages that no mapping takes, counted by what they are."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Ignored(Struct, frozen=True):
    """How many messages of one source, type and event name no mapping took, and when; of no customer.

    `event` is empty where a message has none, and where too many names or none fit to be kept came.
    """

    source: str
    type: str
    event: str
    count: int
    first_at: datetime
    last_at: datetime
