"""The submissions that one transaction settles."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.services.ingest.queue import Waiting


class Batch:
    """What one transaction settles, since a moment."""

    def __init__(self, waiting: list[Waiting], began: float) -> None:
        self.waiting = waiting
        self.began = began
        self.works = [work for each in waiting for work in each.works]
        self.late = False
        self.passed_on = False

    def leave(self, gone: Sequence[Waiting]) -> None:
        """Settle the others alone."""
        self.waiting = [each for each in self.waiting if each not in gone]
        self.works = [work for each in self.waiting for work in each.works]
