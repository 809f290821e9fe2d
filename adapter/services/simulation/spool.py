"""Traffic in the order of time, whatever its size: sorted in parts, which lie in a private folder.

Only one part is in memory while it is written, and of each part a few messages while they are read.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

#: Messages of a part, and those that are read from it at a time.
PART = 20_000
_PIECE = 256
#: When a message is decided, a number that keeps the order of equal moments, and what it is.
Timed = tuple[datetime, int, Any]


class Spool:
    """Keeps what happened by its time. Values are of this program; nothing else writes to its folder."""

    def __init__(self, part: int = PART) -> None:
        self._part = part
        self._waiting: list[Timed] = []
        self._folder: TemporaryDirectory[str] | None = None
        self._parts: list[Path] = []
        self._count = 0
        self.first: datetime | None = None
        self.last: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def __len__(self) -> int:
        return self._count

    def add(self, at: datetime, value: Any) -> None:
        """Add what happened at a moment."""
        self._waiting.append((at, self._count, value))
        self._count += 1
        self.first = at if self.first is None or at < self.first else self.first
        self.last = at if self.last is None or at > self.last else self.last
        if len(self._waiting) >= self._part:
            self._write()

    def __iter__(self) -> Iterator[tuple[datetime, Any]]:
        """Yield everything in the order of time; of equal moments what was added first."""
        self._waiting.sort(key=_ORDER)
        parts: list[Iterable[Timed]] = [_read(path) for path in self._parts]
        for at, _, value in merge(*parts, self._waiting, key=_ORDER) if parts else self._waiting:
            yield at, value

    def _write(self) -> None:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="adapter-simulation-")  # only this user may read it
        self._waiting.sort(key=_ORDER)
        path = Path(self._folder.name) / f"{len(self._parts)}"
        with path.open("wb") as file:
            for piece in _pieces(self._waiting):
                pickle.dump(piece, file, pickle.HIGHEST_PROTOCOL)
        self._parts.append(path)
        self._waiting = []


_ORDER = itemgetter(0, 1)


def _pieces(found: Sequence[Timed]) -> Iterator[list[Timed]]:
    rest = iter(found)
    while piece := list(islice(rest, _PIECE)):
        yield piece


def _read(path: Path) -> Iterator[Timed]:
    with path.open("rb") as file:
        while True:
            try:
                yield from pickle.load(file)  # noqa: S301 - this program has just written it
            except EOFError:
                return
