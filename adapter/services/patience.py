"""How long whoever asks the store waits for it: no longer than a sender waits for a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from msgspec import Struct

from adapter.errors import Unavailable

T = TypeVar("T")
_TOO_LATE = "the store has not answered in time: see what keeps it, or the way to it"


class Patience(Struct, frozen=True):
    """So many `seconds` for what one caller reads."""

    seconds: float

    async def read(self, reading: Awaitable[T]) -> T:
        """Return what is read; it is given up, and Unavailable raised, when that takes too long."""
        try:
            async with asyncio.timeout(self.seconds):
                return await reading
        except TimeoutError as error:
            raise Unavailable(_TOO_LATE, retry_after=2) from error
