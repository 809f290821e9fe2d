"""How many deliveries are leased ahead: as many as are sent in half a second."""

from __future__ import annotations

from typing import Final

#: Seconds of work that a lease takes, and the most deliveries.
AHEAD: Final = 0.5
MOST: Final = 500


class Prefetch:
    """The `size` of the next lease, never below `least`; it at most doubles from one lease to the next."""

    def __init__(self, least: int) -> None:
        self.least = min(least, MOST)
        self.size = self.least
        self._count = 0
        self._at = 0.0

    def leased(self, count: int, at: float) -> None:
        """Note that `count` were leased at a time in seconds, when those of the lease before were sent."""
        if self._count:
            rate = self._count / max(at - self._at, 1e-6)
            self.size = max(self.least, min(int(rate * AHEAD), 2 * self.size, MOST))
        self._count, self._at = count, at

    def reset(self) -> None:
        """Begin again with the least: the destination fails."""
        self.size, self._count = self.least, 0
