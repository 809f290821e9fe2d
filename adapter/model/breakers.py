"""The circuit breaker of a destination: when it failed too often, it rests, and one delivery tries it again.

The state is a row of the store, so all processes agree, and it survives a restart. It begins with the first
failure; without failures there is no row. While it is open nothing is leased, so deliveries wait without
using up attempts. When that time is over, one delivery is leased as a probe. Its success closes the breaker,
and its failure opens it for twice as long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

#: The time over which requests are counted, and how many of how many must fail to open the breaker.
WINDOW: Final = timedelta(minutes=5)
LEAST: Final = 10
SHARE: Final = 0.7
#: How long it is open at first, and at most.
SHORTEST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(minutes=10)

BreakerState = Literal["closed", "open", "half_open"]


class Tally(Struct, frozen=True):
    """How many requests to a destination succeeded and failed by `at`; `reason` is the latest failure."""

    destination: str
    succeeded: int
    failed: int
    at: datetime
    reason: str = ""


class Breaker(Struct, frozen=True):
    """The breaker of a destination.

    `since` is when the counting of `succeeded` and `failed` began, or when it opened. It is open before
    `until`, and half-open from then on; without `until` it is closed. `openings` counts how often it opened
    in a row. `probed_until` is the end of the lease of the delivery that tries it.
    """

    destination: str
    since: datetime
    succeeded: int = 0
    failed: int = 0
    openings: int = 0
    until: datetime | None = None
    probed_until: datetime | None = None
    reason: str = ""

    def state(self, now: datetime) -> BreakerState:
        """Return whether it is closed, open or half-open."""
        if self.until is None:
            return "closed"
        return "open" if now < self.until else "half_open"

    def allowed(self, now: datetime, limit: int) -> int:
        """Return how many deliveries of `limit` may be leased."""
        state = self.state(now)
        if state == "closed":
            return limit
        tried = self.probed_until is not None and now < self.probed_until
        return 0 if state == "open" or tried else min(limit, 1)

    def probing(self, until: datetime) -> Breaker:
        """Return it while a delivery tries the destination under a lease."""
        return replace(self, probed_until=until)


def after(before: Breaker | None, tally: Tally) -> Breaker | None:
    """Return the breaker after some more requests; None where there is nothing to remember."""
    if before is None or before.state(tally.at) == "closed":
        return _counted(before, tally)
    if before.state(tally.at) == "open":
        return before  # these requests began before it opened
    if tally.succeeded:
        return None
    return _opened(before, tally) if tally.failed else before


def _counted(before: Breaker | None, tally: Tally) -> Breaker | None:
    # A window that begins in the future: the clock was set back since.
    current = before if before is not None and abs(tally.at - before.since) < WINDOW else None
    if current is None:
        current = Breaker(tally.destination, tally.at)
    counted = replace(
        current,
        succeeded=current.succeeded + tally.succeeded,
        failed=current.failed + tally.failed,
        reason=tally.reason or current.reason,
    )
    if not counted.failed:
        return None
    total = counted.succeeded + counted.failed
    return _opened(counted, tally) if total >= LEAST and counted.failed >= SHARE * total else counted


def _opened(before: Breaker, tally: Tally) -> Breaker:
    openings = before.openings + 1
    rest = min(SHORTEST * 2 ** min(openings - 1, 16), LONGEST)
    return Breaker(
        tally.destination,
        tally.at,
        openings=openings,
        until=tally.at + rest,
        reason=tally.reason or before.reason,
    )
