"""How many operations may wait for a remote core before senders are told to come again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from adapter.errors import Unavailable
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

#: Between two counts of the outbox.
_EVERY: Final = timedelta(seconds=5)
#: Seconds after which a sender is asked to come again.
_RETRY_AFTER: Final = 30


class CoreCapacity:
    """Keeps the outbox within `most` entries, those for other destinations included.

    The entries are counted periodically, and what this process has added since is added to that.
    """

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        self._waiting = 0
        self._added = 0

    def require(self, count: int) -> None:
        """Raise Unavailable where so many more do not fit."""
        if self._waiting + self._added + count > self._most:
            raise Unavailable(
                f"{self._most} operations wait for the core; see `adapter deliveries`",
                retry_after=_RETRY_AFTER,
            )

    def note(self, count: int) -> None:
        """Count so many as added."""
        self._added += count

    async def count(self) -> None:
        """Count what waits. Raises Unavailable."""
        self._added = 0
        self._waiting = (await self._store.counts())["deliveries_due"]

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set."""
        while not stop.is_set():
            await tried("count what waits for the core", self.count)
            await pause(stop, _EVERY)
