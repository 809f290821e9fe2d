"""The submissions that one transaction commits."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.services.ingest.queue import Submission


class Batch:
    """The submissions of one transaction; `began` is its start, in seconds of the event loop's clock."""

    def __init__(self, waiting: list[Submission], began: float) -> None:
        self.waiting = waiting
        self.began = began
        self.works = [work for each in waiting for work in each.works]
        self.late = False
        self.next_started = False

    def leave(self, gone: Sequence[Submission]) -> None:
        """Remove submissions from the batch."""
        self.waiting = [each for each in self.waiting if each not in gone]
        self.works = [work for each in self.waiting for work in each.works]
