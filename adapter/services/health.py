"""Whether this process can take messages now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from msgspec import Struct

from adapter.errors import Unavailable
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.tasks import unheard

_log = logging.getLogger(__name__)


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


class _Refusal(Struct, frozen=True):
    reason: str
    until: float


class Health:
    """Readiness: the store commits, the queue has room, the files in force are the files on disk.

    A store that has not answered after `patience` seconds counts as one that does not commit. So does, for
    `shunned` seconds by the `clock`, one that has refused a commit and taken none since: a ping may fit where
    a commit does not. After that it is to be tried again, for whoever is not ready is sent nothing that could
    show that the store has recovered.

    Of many who ask at once one ping serves all. It goes on when it is waited for no longer, and more of them
    would queue before the commits of a store that is slow.
    """

    def __init__(
        self,
        store: Pinged,
        committer: GroupCommitter,
        clock: Callable[[], float],
        patience: float = 2.0,
        shunned: float = 5.0,
    ) -> None:
        self._store = store
        self._committer = committer
        self._clock = clock
        self._patience = patience
        self._shunned = shunned
        self._refusal: _Refusal | None = None
        self._noted: _Refusal | None = None
        self._pinging: asyncio.Task[None] | None = None
        self.files = Check("files", ok=True)

    async def ready(self) -> list[Check]:
        """Return every check; the server is ready when all but `files` are ok."""
        queue = self._queue()
        store = await self._ping()
        return [self._committed() if store.ok else store, queue, self.files]

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Note what the store makes of the commit inside."""
        try:
            yield
        except Unavailable as error:
            self._note("the store has not taken a commit", error)
            self._refusal = _Refusal(error.public_message, self._clock() + self._shunned)
            raise
        self._refusal = None

    def _committed(self) -> Check:
        refusal = self._refusal
        if refusal is None or refusal.until <= self._clock():
            return Check("store", ok=True)
        return Check("store", ok=False, detail=f"the last commit failed: {refusal.reason}")

    async def _ping(self) -> Check:
        try:
            async with asyncio.timeout(self._patience):
                await asyncio.shield(self._shared_ping())
        except TimeoutError:
            # A commit that was refused says why; that a ping waits behind others of its kind does not.
            slow = Check("store", ok=False, detail=f"it has not answered for {self._patience:g} seconds")
            return slow if (committed := self._committed()).ok else committed
        except Unavailable as error:
            self._note("the store is not ready", error)
            return Check("store", ok=False, detail=error.public_message)
        return Check("store", ok=True)

    def _shared_ping(self) -> asyncio.Task[None]:
        if self._pinging is None or self._pinging.done():
            self._pinging = unheard(asyncio.create_task(self._store.ping()))
        return self._pinging

    def _note(self, what: str, error: Unavailable) -> None:
        """Log what readiness does not tell, once in a while: as long as it lasts it is met at every turn."""
        now = self._clock()
        if self._noted is not None and self._noted.reason == error.message and now < self._noted.until:
            return
        self._noted = _Refusal(error.message, now + self._shunned)
        _log.warning("%s: %s", what, error.message)

    def _queue(self) -> Check:
        if self._committer.stuck:
            return Check("queue", ok=False, detail="a commit has not ended in time: see what keeps the store")
        if self._committer.crowded:
            return Check("queue", ok=False, detail="too many messages are waiting")
        return Check("queue", ok=True)
