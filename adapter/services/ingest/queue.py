"""What waits for the committer, and whose turn it is: what costs little never waits for what costs much.

A body with many messages, or with merges or erasures, is cut into shares, and a transaction takes one share's
worth of them beside everything that is light. So whatever a sender sends, what others send is committed in
the next transaction, and that ends soon; and costly bodies take turns, each of them share by share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work

#: What one transaction takes of costly submissions, in units of what it costs to decide an event.
SHARE = 350
#: Submissions that cost more than this take turns.
_LIGHT = 35


class Waiting(Struct):
    """A submission, or a share of one."""

    works: Sequence[Work]
    cost: int
    size: int
    arrived: float
    answer: asyncio.Future[list[Result]]


class Queue:
    """What waits, the light before the costly; each of the two in the order of its coming."""

    def __init__(self) -> None:
        self._light: deque[Waiting] = deque()
        self._costly: deque[Waiting] = deque()

    def __len__(self) -> int:
        return len(self._light) + len(self._costly)

    def __iter__(self) -> Iterator[Waiting]:
        yield from self._light
        yield from self._costly

    def add(self, waiting: Waiting, *, costly: bool) -> None:
        """Put a submission at the end of its line."""
        (self._costly if costly else self._light).append(waiting)

    def take(self, most: int) -> list[Waiting]:
        """Return what the next transaction settles: light submissions of a cost up to `most`, and a share."""
        return [*_drawn(self._light, most), *_drawn(self._costly, min(most, SHARE))]

    def drain(self, arrived_by: float = float("inf")) -> list[Waiting]:
        """Return and drop what has arrived by a moment."""
        gone = [waiting for waiting in self if waiting.arrived <= arrived_by]
        if gone:
            self._light = deque(waiting for waiting in self._light if waiting.arrived > arrived_by)
            self._costly = deque(waiting for waiting in self._costly if waiting.arrived > arrived_by)
        return gone


def is_costly(cost: int) -> bool:
    """Say whether a submission of such a cost must take turns with others."""
    return cost > _LIGHT


def _drawn(line: deque[Waiting], room: int) -> list[Waiting]:
    """Take from a line what there is room for, and one at least."""
    taken: list[Waiting] = []
    while line and (not taken or line[0].cost <= room):
        taken.append(line.popleft())
        room -= taken[-1].cost
    return taken
