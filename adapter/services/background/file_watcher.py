"""The folders of mappings and rules, watched for changes, also while others are put in their place.

The kernel tells what changes inside the folder that it was pointed at, wherever that is moved, and nothing of
one that has its name afterwards. So every few seconds we look whether the names still lead to the same
folders.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from watchfiles import Change, awatch
from watchfiles.main import FileChange

from adapter.services.periodic import pause

#: Where a folder is, and which one: its resolved path, device and inode; None while there is none.
_Place = tuple[str, int, int] | None


class Watch:
    """Watches folders; every so often (`every`) it looks where their names lead."""

    def __init__(self, folders: Sequence[str], every: timedelta = timedelta(seconds=2)) -> None:
        self._folders = [Path(folder).absolute() for folder in folders]
        self._every = every
        self._asked = False

    def ask(self) -> None:
        """Have `changes` yield though nothing may have changed; safe to call from a signal's handler."""
        self._asked = True

    async def changes(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yield whenever the folders' files may have changed, until `stop` is set.

        A folder that is put in the place of another is told once it stands still, and one that is gone when
        it has not come back after a while.
        """
        unread = False
        while not stop.is_set():
            places = self._places()
            if None in places:
                async for _ in self._return(stop):
                    yield
                unread = True
                continue
            async for changed in self._seen(stop):
                if self._replaced(changed, places):
                    unread = True
                    break
                if changed or unread:
                    unread = False
                    yield
            if self._asked:
                self._asked = unread = False
                yield

    async def _seen(self, stop: asyncio.Event) -> AsyncIterator[set[FileChange]]:
        """Yield what changed, nothing when a while has passed; end when we are asked or are to stop."""
        tick = int(self._every.total_seconds() * 1000)
        interrupted = _Interrupted(self, stop)
        try:
            async for changed in awatch(
                *self._folders, stop_event=interrupted, debounce=200, step=50, rust_timeout=tick,
                yield_on_timeout=True,
            ):  # fmt: skip
                yield changed
        except FileNotFoundError:  # gone since we looked
            return

    async def _return(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Wait until every folder is there; yield once when that takes a while, and whenever we are asked."""
        await pause(stop, self._every)
        late = True
        while None in self._places() and not stop.is_set():
            if late or self._asked:
                late = self._asked = False
                yield
            await pause(stop, self._every)

    def _replaced(self, changed: set[FileChange], places: list[_Place]) -> bool:
        """Say whether a folder is another now; a new one may have got the inode of one that was removed."""
        removed = {path for change, path in changed if change is Change.deleted}
        return not removed.isdisjoint(map(str, self._folders)) or self._places() != places

    def _places(self) -> list[_Place]:
        return [_place(folder) for folder in self._folders]

    @property
    def asked(self) -> bool:
        """Whether we were asked, and have not yielded since."""
        return self._asked


class _Interrupted(asyncio.Event):
    """Set while a watch is asked or is to stop; the thread that watches looks every 50 ms."""

    def __init__(self, watch: Watch, stop: asyncio.Event) -> None:
        super().__init__()
        self._watch = watch
        self._stop = stop

    def is_set(self) -> bool:
        """Say whether watching is to be interrupted."""
        return super().is_set() or self._stop.is_set() or self._watch.asked


def _place(folder: Path) -> _Place:
    try:
        resolved = folder.resolve()
        status = resolved.stat()
    except OSError:
        return None
    return str(resolved), status.st_dev, status.st_ino
