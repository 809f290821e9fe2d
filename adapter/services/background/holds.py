"""Release expired holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from adapter.services.periodic import pause, tried

#: Holds that are released at once; if there are more, the next round begins immediately.
_LIMIT = 500


class Holds:
    """Calls `expire(limit)` periodically; it returns the number of released holds."""

    def __init__(
        self, expire: Callable[[int], Awaitable[int]], interval: timedelta = timedelta(seconds=5)
    ) -> None:
        self._expire = expire
        self._interval = interval

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set."""
        while not stop.is_set():
            ended = await tried("release expired holds", lambda: self._expire(_LIMIT)) or 0
            if ended < _LIMIT:
                await pause(stop, self._interval)
