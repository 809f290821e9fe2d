"""Whether this process can take messages now."""

from __future__ import annotations

import asyncio
from typing import Protocol

from msgspec import Struct

from adapter.errors import Unavailable
from adapter.services.committer import Committer


class Check(Struct, frozen=True):
    """One thing that must hold; `detail` says what is wrong when it does not."""

    name: str
    ok: bool
    detail: str = ""


class Pinged(Protocol):
    """What of a store is asked here."""

    async def ping(self) -> None:
        """Raise Unavailable unless the store can commit now."""
        ...


class Health:
    """Readiness: the store commits, the queue has room, the files in force are the files on disk.

    A store that has not answered after `patience` seconds counts as one that does not commit.
    """

    def __init__(self, store: Pinged, committer: Committer, patience: float = 2.0) -> None:
        self._store = store
        self._committer = committer
        self._patience = patience
        self.files = Check("files", ok=True)

    async def ready(self) -> list[Check]:
        """Return every check; the server is ready when all but `files` are ok."""
        queue = self._queue()
        return [await self._ping(), queue, self.files]

    async def _ping(self) -> Check:
        try:
            async with asyncio.timeout(self._patience):
                await self._store.ping()
        except TimeoutError:
            return Check("store", ok=False, detail=f"it has not answered for {self._patience:g} seconds")
        except Unavailable as error:
            return Check("store", ok=False, detail=error.message)
        return Check("store", ok=True)

    def _queue(self) -> Check:
        if self._committer.stuck:
            return Check("queue", ok=False, detail="a commit has not ended in time: see what keeps the store")
        if self._committer.crowded:
            return Check("queue", ok=False, detail="too many messages are waiting")
        return Check("queue", ok=True)
