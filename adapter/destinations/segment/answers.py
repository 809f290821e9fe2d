"""What an answer of Segment's Tracking API means.

Sources: segment-docs, `connections/sources/catalog/libraries/server/http-api`; the retries of Segment's own
clients, analytics-next `packages/node/src/plugins/segmentio/publisher.ts`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from adapter.destinations.answers import judged, pausing
from adapter.destinations.contract import Attempt
from adapter.destinations.events.halving import REFUSED
from adapter.destinations.transport import Answer

#: Segment's clients retry these, and all from 500 but the two of NOT_RETRIED.
RETRIED: Final = (408, 410, 460)
NOT_RETRIED: Final = (501, 505)
#: Nothing is sent with a key that was refused, until the operator has corrected it.
PAUSE: Final = timedelta(hours=1)
KEY_REFUSED: Final = "Segment refused the write key: check `write_key` and `region`"


def judged_by_segment(answer: Answer, now: datetime) -> Attempt:
    """Return the result that an answer means for a batch; a 200 says only that it was received."""
    attempt, status = replace(judged(answer, now), gone=False), answer.status
    if attempt.ok or status in REFUSED:
        return attempt
    if status in (401, 403):
        return replace(attempt, error=f"answered {status}: {KEY_REFUSED}", retry_after=PAUSE, counted=False)
    if status == 429:
        if attempt.retry_after is None:
            attempt = pausing(attempt, answer.headers.get("x-ratelimit-reset"), now)
        return replace(attempt, counted=attempt.retry_after is None)
    given_up = 400 < status < 500 and status not in RETRIED
    return replace(attempt, final=given_up or status in NOT_RETRIED)
