"""The timeout of reads from the store: the same as that of commits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from msgspec import Struct

from adapter.errors import StoreUnavailable, Unavailable

T = TypeVar("T")
_log = logging.getLogger(__name__)
_TIMED_OUT = "the read timed out; check the store and the connection to it"


class ReadTimeout(Struct, frozen=True):
    """The timeout in `seconds` for the reads of one request."""

    seconds: float

    async def read(self, reading: Awaitable[T]) -> T:
        """Return the result of a read; cancels it and raises Unavailable after the timeout.

        The store's errors are logged, because the response does not contain all of them.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await reading
        except TimeoutError as error:
            raise Unavailable(_TIMED_OUT, retry_after=2) from error
        except StoreUnavailable as error:
            _log.warning("the store could not be read: %s", error.message)
            raise
