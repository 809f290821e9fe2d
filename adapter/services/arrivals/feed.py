"""The messages that arrive, for all who watch this process: one reader, and a bounded queue for each viewer.

The journal is read only while somebody watches, at most twice a second. A viewer who is slower than the
messages misses some, and is told how many.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from adapter.errors import Unavailable
from adapter.model.journal import JournalRow
from adapter.services.arrivals.filters import Arrived, KnownPeople, MessageFilter
from adapter.services.arrivals.following import Follower
from adapter.services.arrivals.listed import ListedMessage, listed
from adapter.services.periodic import pause, tried
from adapter.store.contract import Store

#: Messages that one batch shows; of more the latest are shown, and the others counted.
MOST_SHOWN: Final = 50
#: Batches that wait for one viewer, and viewers of one process.
MOST_WAITING: Final = 8
MOST_VIEWERS: Final = 50
#: Rows that one read returns at most, and rows that a viewer who was away is shown at first.
_ROWS: Final = 200
_CATCH_UP: Final = 100
#: So many numbers back a viewer knows which rows were shown.
_REMEMBERED: Final = 500


class FeedBatch(Struct, frozen=True):
    """Messages that arrived, the oldest first, and how many `more` that are not shown.

    `missed` counts those for which the viewer was too slow. `last` is the number of the last row. With a
    `gap` there are messages between the viewer's list and these that are not shown.
    """

    messages: list[ListedMessage]
    more: int
    missed: int
    last: int
    gap: bool = False


class Viewer:
    """One who watches: what fits the filter waits here, at most MOST_WAITING batches."""

    def __init__(self, wanted: MessageFilter, known: KnownPeople, after: int) -> None:
        self._wanted = wanted
        self._known = known
        self.after = after
        self._taken: set[int] = set()
        self._waiting: deque[FeedBatch] = deque()
        self._missed = 0
        self._woken = asyncio.Event()
        self._ended = False

    def take(self, arrived: Sequence[Arrived], *, gap: bool = False) -> None:
        """Add what fits and was not added before; the oldest batch goes where too many wait."""
        mine = [each for each in arrived if each.number > self.after and each.number not in self._taken]
        if mine:
            known = self._taken | {each.number for each in mine}
            self._taken = {number for number in known if number > mine[-1].number - _REMEMBERED}
        if not self._wanted.everything:
            mine = [each for each in mine if self._wanted.takes(each, self._known)]
        if not mine:
            return
        if len(self._waiting) >= MOST_WAITING:
            gone = self._waiting.popleft()
            self._missed += len(gone.messages) + gone.more
        shown = [listed(each) for each in mine[-MOST_SHOWN:]]
        self._waiting.append(FeedBatch(shown, len(mine) - len(shown), 0, mine[-1].number, gap))
        self._woken.set()

    def end(self) -> None:
        """End the list: the server stops."""
        self._ended = True
        self._woken.set()

    async def batches(self, heartbeat: timedelta) -> AsyncIterator[FeedBatch | None]:
        """Yield batches until the server stops; None where nothing came for so long."""
        while not self._ended:
            if not self._waiting:
                self._woken.clear()
                if not await _set_within(self._woken, heartbeat):
                    yield None
                continue
            batch, missed = self._waiting.popleft(), self._missed
            self._missed = 0
            yield replace(batch, missed=missed)


class Feed:
    """Reads what is new every `interval` while there are viewers."""

    def __init__(self, store: Store, interval: timedelta = timedelta(seconds=0.5)) -> None:
        self._store = store
        self._interval = interval
        self._viewers: set[Viewer] = set()
        self._watched = asyncio.Event()
        self._follower: Follower | None = None
        self._starting = asyncio.Lock()
        self._ending = False

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def require_room(self) -> None:
        """Raise Unavailable where no other viewer can watch."""
        if self._ending or self.viewers >= MOST_VIEWERS:
            raise Unavailable("too many watch the events of this process; try again later", retry_after=30)

    @asynccontextmanager
    async def watching(self, wanted: MessageFilter, known: KnownPeople, after: int) -> AsyncIterator[Viewer]:
        """Return a viewer of what comes behind a row, from the rows that are there already on.

        Raises Unavailable where the store is, or where too many watch.
        """
        self.require_room()
        viewer = Viewer(wanted, known, after)
        self._viewers.add(viewer)
        self._watched.set()
        try:
            await self._started()  # what comes from here on is read for all
            await self._catch_up(viewer)
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._watched.clear()

    async def _started(self) -> Follower:
        async with self._starting:
            if self._follower is None:
                self._follower = await Follower.from_now(self._store)
            return self._follower

    async def _catch_up(self, viewer: Viewer) -> None:
        """Show what came between the viewer's list and now, no more than some rows."""
        rows = await self._store.latest_journal(limit=_CATCH_UP)
        fresh = [row for row in reversed(rows) if row.number > viewer.after]
        viewer.take(await asyncio.to_thread(_arrived, fresh), gap=len(fresh) == _CATCH_UP)

    def end(self) -> None:
        """End all lists, so that they do not hold back a server that stops."""
        self._ending = True
        for viewer in self._viewers:
            viewer.end()

    async def run(self, stop: asyncio.Event) -> None:
        """Read while somebody watches, until `stop` is set."""
        while not stop.is_set():
            if not self._viewers:
                self._follower = None
                await _either(stop, self._watched)
                continue
            await tried("follow the journal", self.read)
            await pause(stop, self._interval)
        self.end()

    async def read(self) -> None:
        """Read what is new, and give it to the viewers. Raises Unavailable."""
        rows = await (await self._started()).fresh(_ROWS)
        if rows and self._viewers:
            arrived = await asyncio.to_thread(_arrived, rows)
            for viewer in self._viewers:
                viewer.take(arrived)


def _arrived(rows: Sequence[JournalRow]) -> list[Arrived]:
    return [Arrived(row.number, place, entry) for row in rows for place, entry in enumerate(row.entries())]


async def _set_within(event: asyncio.Event, length: timedelta) -> bool:
    try:
        async with asyncio.timeout(length.total_seconds()):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait until one of two events is set."""
    waits = [asyncio.ensure_future(each.wait()) for each in (one, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
