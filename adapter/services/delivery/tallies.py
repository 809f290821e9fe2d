"""Counts what the circuit breaker of a destination must know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from adapter.destinations.contract import Attempt
from adapter.model.breakers import Tally


class Tallies:
    """The requests whose results are not recorded yet, and how many failed since the last success.

    Neither a pause that does not count nor a delivery that its receiver refuses for ever is a failure of the
    destination.
    """

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._succeeded = 0
        self._failed = 0
        self._reason = ""
        self.failed_in_a_row = 0

    def add(self, attempts: Sequence[Attempt]) -> None:
        """Count one request by its attempts."""
        if any(attempt.ok or attempt.final for attempt in attempts):
            self._succeeded += 1
            self.failed_in_a_row = 0
            return
        counted = [attempt for attempt in attempts if attempt.counted]
        if counted:
            self._failed += 1
            self.failed_in_a_row += 1
            self._reason = counted[0].error or ""

    def tally(self, now: datetime) -> Tally:
        """Return the counts of what is not recorded yet."""
        return Tally(self._destination, self._succeeded, self._failed, now, self._reason)

    def recorded(self, tally: Tally) -> None:
        """Forget what was recorded."""
        self._succeeded -= tally.succeeded
        self._failed -= tally.failed
