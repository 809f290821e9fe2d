"""The queue of submissions for the committer: cheap ones never wait for expensive ones.

A body with many messages, or with merges or erasures, is cut into shares, and a transaction takes one share
of them in addition to all cheap submissions. So the submissions of other senders are committed in the next
transaction, and that transaction is short; expensive bodies alternate, share by share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work

#: The cost of expensive submissions in one transaction; the cost of one event is 1.
SHARE = 350
#: Submissions of a higher cost are expensive.
_MAX_CHEAP = 35


class Submission(Struct):
    """A submission, or a share of one."""

    works: Sequence[Work]
    cost: int
    size: int
    arrived: float
    answer: asyncio.Future[list[Result]]


class Queue:
    """The queued submissions, cheap before expensive ones, each in order of arrival."""

    def __init__(self) -> None:
        self._cheap: deque[Submission] = deque()
        self._expensive: deque[Submission] = deque()

    def __len__(self) -> int:
        return len(self._cheap) + len(self._expensive)

    def __iter__(self) -> Iterator[Submission]:
        yield from self._cheap
        yield from self._expensive

    def add(self, waiting: Submission, *, expensive: bool) -> None:
        """Append a submission."""
        (self._expensive if expensive else self._cheap).append(waiting)

    def take(self, most: int) -> list[Submission]:
        """Return the next batch: cheap submissions up to a cost of `most`, and a share of expensive ones."""
        return [*_taken(self._cheap, most), *_taken(self._expensive, min(most, SHARE))]

    def drain(self, arrived_by: float = float("inf")) -> list[Submission]:
        """Remove and return the submissions that arrived by a time."""
        gone = [waiting for waiting in self if waiting.arrived <= arrived_by]
        if gone:
            self._cheap = deque(waiting for waiting in self._cheap if waiting.arrived > arrived_by)
            self._expensive = deque(waiting for waiting in self._expensive if waiting.arrived > arrived_by)
        return gone


def is_expensive(cost: int) -> bool:
    """Return whether a submission of this cost is expensive."""
    return cost > _MAX_CHEAP


def _taken(line: deque[Submission], room: int) -> list[Submission]:
    """Remove and return submissions up to a total cost of `room`, but at least one."""
    taken: list[Submission] = []
    while line and (not taken or line[0].cost <= room):
        taken.append(line.popleft())
        room -= taken[-1].cost
    return taken
