"""When a delivery is retried.

The delays are those that the Standard Webhooks specification recommends (75 hours and 35 minutes in all),
each spread by 20 per cent either way, so that deliveries that failed together are not retried together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

#: How long to wait before each attempt, the first included.
DELAYS: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
SPREAD: Final = 0.2
#: The longest pause that a destination may ask for.
LONGEST: Final = timedelta(hours=24)


def next_attempt(
    attempt: int,
    now: datetime,
    *,
    retry_after: timedelta | None = None,
    not_after: datetime | None = None,
    jitter: float = 0.5,
) -> datetime | None:
    """Return when to try again after `attempt` attempts have failed, the last of them `now`.

    None after the last attempt, or when the next would be at `not_after` or later. `retry_after` is the
    pause that the destination asked for, at most 24 hours; the next attempt is not sooner than that, nor than
    the schedule. `jitter` from 0 to 1 is the place within the spread; 0.5 is the middle.
    """
    if attempt >= len(DELAYS):
        return None
    delay = DELAYS[max(attempt, 1)] * (1 - SPREAD + 2 * SPREAD * jitter)
    if retry_after is not None:
        delay = max(delay, min(retry_after, LONGEST))
    due_at = now + delay
    return None if not_after is not None and due_at >= not_after else due_at
