"""Watch the directories of mappings and rules for changes, also when a directory is replaced.

The kernel reports changes inside the directory that is watched, even after it is moved, and none of a
directory that gets its name later. So the resolved paths are compared every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from watchfiles import Change, awatch
from watchfiles.main import FileChange

from adapter.services.periodic import pause

#: The identity of a directory: its resolved path, device and inode; None while it is missing.
_Place = tuple[str, int, int] | None


class FileWatcher:
    """Watches directories; `every` is the interval at which it compares their resolved paths."""

    def __init__(self, folders: Sequence[str], every: timedelta = timedelta(seconds=2)) -> None:
        self._folders = [Path(folder).absolute() for folder in folders]
        self._every = every
        self._requested = False

    def request(self) -> None:
        """Make `changes` yield even without a change; safe to call from a signal handler."""
        self._requested = True

    async def changes(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Yield when files may have changed, until `stop` is set.

        For a replaced directory it yields once no more changes follow, for a missing one when it is still
        missing after a while.
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
            if self._requested:
                self._requested = unread = False
                yield

    async def _seen(self, stop: asyncio.Event) -> AsyncIterator[set[FileChange]]:
        """Yield changes, and an empty set after each interval; end on `request` or `stop`."""
        tick = int(self._every.total_seconds() * 1000)
        interrupted = _Interrupted(self, stop)
        try:
            async for changed in awatch(
                *self._folders, stop_event=interrupted, debounce=200, step=50, rust_timeout=tick,
                yield_on_timeout=True,
            ):  # fmt: skip
                yield changed
        except FileNotFoundError:  # removed meanwhile
            return

    async def _return(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Wait until all directories exist; yield once when that takes a while, and after each `request`."""
        await pause(stop, self._every)
        late = True
        while None in self._places() and not stop.is_set():
            if late or self._requested:
                late = self._requested = False
                yield
            await pause(stop, self._every)

    def _replaced(self, changed: set[FileChange], places: list[_Place]) -> bool:
        """Return whether a directory was replaced; a new one may have the inode of a removed one."""
        removed = {path for change, path in changed if change is Change.deleted}
        return not removed.isdisjoint(map(str, self._folders)) or self._places() != places

    def _places(self) -> list[_Place]:
        return [_place(folder) for folder in self._folders]

    @property
    def requested(self) -> bool:
        """Whether `request` was called since the last yield."""
        return self._requested


class _Interrupted(asyncio.Event):
    """Set after `request` or `stop`; the watching thread checks it every 50 ms."""

    def __init__(self, watch: FileWatcher, stop: asyncio.Event) -> None:
        super().__init__()
        self._watch = watch
        self._stop = stop

    def is_set(self) -> bool:
        """Return whether watching must be interrupted."""
        return super().is_set() or self._stop.is_set() or self._watch.requested


def _place(folder: Path) -> _Place:
    try:
        resolved = folder.resolve()
        status = resolved.stat()
    except OSError:
        return None
    return str(resolved), status.st_dev, status.st_ino
