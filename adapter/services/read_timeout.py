"""How long whoever asks the store waits for it: no longer than a sender waits for a commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from msgspec import Struct

from adapter.errors import StoreUnavailable, Unavailable

T = TypeVar("T")
_log = logging.getLogger(__name__)
_TOO_LATE = "the store has not answered in time: see what keeps it, or the way to it"


class ReadTimeout(Struct, frozen=True):
    """So many `seconds` for what one caller reads."""

    seconds: float

    async def read(self, reading: Awaitable[T]) -> T:
        """Return what is read; it is given up, and Unavailable raised, when that takes too long.

        What the store raises is logged: whoever reads is not told all of it.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await reading
        except TimeoutError as error:
            raise Unavailable(_TOO_LATE, retry_after=2) from error
        except StoreUnavailable as error:
            _log.warning("the store could not be read: %s", error.message)
            raise
