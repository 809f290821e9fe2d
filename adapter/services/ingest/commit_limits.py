"""How much the group committer takes, and how long it waits."""

from __future__ import annotations

from msgspec import Struct

from adapter.settings import values as settings


class Limits(Struct, frozen=True):
    """Limits of the queue in messages, bytes and seconds; `max_batch` is the most cost of a transaction."""

    max_messages: int = 20_000
    max_bytes: int = 64 * 1024 * 1024
    max_batch: int = 2_000
    max_wait: float = 3.0

    @classmethod
    def of(cls, ingest: settings.Ingest) -> Limits:
        """Return the limits of the settings."""
        return cls(ingest.max_waiting, ingest.max_waiting_bytes, ingest.max_batch, ingest.max_wait_seconds)
