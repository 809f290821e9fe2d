"""What a store guarantees of quarantined messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adapter.model.quarantine import Excerpt, Quarantined


class QuarantineVerbs(Protocol):
    """The verbs of messages that could not be read or mapped."""

    async def quarantined(self, after: int = 0, limit: int = 100) -> list[Excerpt]:
        """Return excerpts of quarantined messages with an id above `after`, in order of id."""
        ...

    async def latest_quarantined(self, before: int | None = None, limit: int = 100) -> list[Excerpt]:
        """Return the same with an id below `before` (of all, without it), the latest first."""
        ...

    async def quarantined_message(self, id_: int) -> Quarantined | None:
        """Return one quarantined message, whole."""
        ...

    async def quarantined_of(self, source_id: str, limit: int = 100) -> list[Excerpt]:
        """Return quarantined messages that name a customer by any id or email, the latest first."""
        ...

    async def release_quarantined(self, ids: Sequence[int]) -> int:
        """Delete quarantine entries that have been replayed; returns how many there were."""
        ...
