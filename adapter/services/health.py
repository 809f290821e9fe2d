"""Whether this process can take messages now."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from msgspec import Struct

from adapter.errors import Unavailable
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.tasks import unheard


class Check(Struct, frozen=True):
    """One thing that must hold; `detail` says what is wrong when it does not."""

    name: str
    ok: bool
    detail: str = ""


class Pinged(Protocol):
    """What of a store is asked here."""

    def ping(self) -> Coroutine[Any, Any, None]:
        """Raise Unavailable unless the store can commit now."""
        ...


class Health:
    """Readiness: the store commits, the queue has room, the files in force are the files on disk.

    A store that has not answered after `patience` seconds counts as one that does not commit. So does, for a
    while, one that has refused a commit and taken none since (`commits`): a ping may fit where a commit does
    not. After that readiness is restored, because without traffic nothing would show that the store has
    recovered.

    Of many who ask at once one ping serves all. It goes on when it is waited for no longer, and more of them
    would queue before the commits of a store that is slow.
    """

    def __init__(
        self,
        store: Pinged,
        committer: GroupCommitter,
        commits: CommitHealth,
        patience: float = 2.0,
    ) -> None:
        self._store = store
        self._committer = committer
        self._commits = commits
        self._patience = patience
        self._pinging: asyncio.Task[None] | None = None
        self.files = Check("files", ok=True)

    async def ready(self) -> list[Check]:
        """Return every check; the server is ready when all but `files` are ok."""
        queue = self._queue()
        store = await self._ping()
        return [self._committed() if store.ok else store, queue, self.files]

    def _committed(self) -> Check:
        refusal = self._commits.refusal
        if refusal is None:
            return Check("store", ok=True)
        return Check("store", ok=False, detail=f"the last commit failed: {refusal}")

    async def _ping(self) -> Check:
        try:
            async with asyncio.timeout(self._patience):
                await asyncio.shield(self._shared_ping())
        except TimeoutError:
            # A commit that was refused says why; that a ping waits behind others of its kind does not.
            slow = Check("store", ok=False, detail=f"it has not answered for {self._patience:g} seconds")
            return slow if (committed := self._committed()).ok else committed
        except Unavailable as error:
            self._commits.log("the store is not ready", error)
            return Check("store", ok=False, detail=error.public_message)
        return Check("store", ok=True)

    def _shared_ping(self) -> asyncio.Task[None]:
        if self._pinging is None or self._pinging.done():
            self._pinging = unheard(asyncio.create_task(self._store.ping()))
        return self._pinging

    def _queue(self) -> Check:
        if self._committer.stuck:
            return Check(
                "queue", ok=False, detail="a commit timed out; check the store and the connection to it"
            )
        if self._committer.nearly_full:
            return Check("queue", ok=False, detail="too many messages are queued")
        return Check("queue", ok=True)
