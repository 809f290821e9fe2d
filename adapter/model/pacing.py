"""How many deliveries a second a destination is sent: a limit from its settings, and a slow start.

The store keeps one number of it, so that all processes agree: the moment up to which the leases so far use up
the rate. Each lease moves it on by what it took, so the rate holds over any few seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

#: How much of a rate that was not used may be taken at once, and the least that a lease takes of it: so a
#: limited destination is leased to a few times a second, and not for each delivery.
SAVED: Final = timedelta(seconds=0.5)
LEAST: Final = timedelta(seconds=0.1)
#: Deliveries a second after a pause, in what time that doubles, and after what time the slow start is over.
START: Final = 100
DOUBLES: Final = timedelta(seconds=5)
STARTED: Final = timedelta(minutes=1)
#: What is used up so far in the future was written before the clock was set back.
_AHEAD: Final = timedelta(seconds=10)
_SECOND: Final = timedelta(seconds=1)


class Pacing(Struct, frozen=True):
    """At most `per_second` deliveries a second (0 is no limit); fewer after a pause if it `starts_slowly`."""

    per_second: int = 0
    starts_slowly: bool = False

    @property
    def limits(self) -> bool:
        """Whether there may be a limit at any time."""
        return self.starts_slowly or self.per_second > 0

    def rate(self, now: datetime, paused_until: datetime | None) -> float:
        """Return how many deliveries a second may be leased now, 0 for any number.

        `paused_until` is the end of the destination's latest pause.
        """
        if not self.starts_slowly or paused_until is None or not paused_until <= now < paused_until + STARTED:
            return self.per_second
        started = START * 2 ** ((now - paused_until) / DOUBLES)
        return min(started, self.per_second or started)


UNPACED: Final = Pacing()


class Pace(Struct, frozen=True):
    """The `rate` of a destination, more than 0 deliveries a second, and up to when leases have used it up."""

    rate: float
    used_until: datetime

    def allowed(self, now: datetime, limit: int) -> int:
        """Return how many deliveries of `limit` may be leased."""
        ready = int((now - self._free_from(now)) / _SECOND * self.rate + 1e-6)
        return min(ready, limit) if ready >= int(self.rate * (LEAST / _SECOND)) else 0

    def after(self, now: datetime, leased: int) -> datetime:
        """Return up to when the rate is used up after a lease of so many."""
        return self._free_from(now) + _SECOND * (leased / self.rate)

    def _free_from(self, now: datetime) -> datetime:
        """Return from when on the rate is not used; at least one delivery can be saved up."""
        saved = now - max(SAVED, _SECOND / self.rate)
        return saved if self.used_until > now + _AHEAD else max(self.used_until, saved)
