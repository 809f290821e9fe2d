"""Readiness: whether this process can accept messages, and whether its destinations receive theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from msgspec import Struct

from adapter.errors import Unavailable
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.tasks import unheard

#: Failing checks that leave the server ready: files read before are in force, and deliveries wait.
INFORMATIONAL: Final = ("files", "destinations")


class Check(Struct, frozen=True):
    """One check; `detail` is the reason when it fails."""

    name: str
    ok: bool
    detail: str = ""


class Pinged(Protocol):
    """The part of a store that readiness uses."""

    def ping(self) -> Coroutine[Any, Any, None]:
        """Raise Unavailable unless the store can commit now."""
        ...


class Health:
    """Readiness: the store commits, the queue has room, the current files are the files on disk.

    `destinations` checks whether deliveries are sent to all destinations; it is asked where the store
    answers.

    The store fails when a ping takes longer than `patience` seconds. It also fails, for a while, after a
    commit failed and none succeeded since (`commits`): a ping may succeed where a commit does not. After that
    readiness is restored, because without traffic nothing would show that the store has recovered.

    Concurrent requests share one ping. It continues after a timeout, because further ones would queue before
    the commits of a slow store.
    """

    def __init__(
        self,
        store: Pinged,
        committer: GroupCommitter,
        commits: CommitHealth,
        patience: float = 2.0,
        *,
        destinations: Callable[[], Coroutine[Any, Any, Check]] | None = None,
    ) -> None:
        self._store = store
        self._committer = committer
        self._commits = commits
        self._patience = patience
        self._destinations = destinations
        self._pinging: asyncio.Task[None] | None = None
        self.files = Check("files", ok=True)

    async def ready(self) -> list[Check]:
        """Return every check; the server is ready when all but those of INFORMATIONAL are ok."""
        queue = self._queue()
        store = await self._ping()
        found = [self._committed() if store.ok else store, queue, self.files]
        if store.ok and self._destinations is not None and (check := await self._asked(self._destinations)):
            found.append(check)
        return found

    async def _asked(self, check: Callable[[], Coroutine[Any, Any, Check]]) -> Check | None:
        try:
            async with asyncio.timeout(self._patience):
                return await check()
        except (TimeoutError, Unavailable):
            return None

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
            # The error of a failed commit has the cause; the timeout of a ping has not.
            slow = Check("store", ok=False, detail=f"no response within {self._patience:g} seconds")
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
