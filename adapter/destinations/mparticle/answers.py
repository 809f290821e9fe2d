"""What an answer of mParticle's Events API means.

Sources: mParticle/docs, `developers/server/http` and `guides/default-service-limits`, which writes the header
of a 429 in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from adapter.destinations.answers import judged, pausing
from adapter.destinations.contract import Attempt
from adapter.destinations.transport import Answer

#: Nothing is sent with credentials that were refused, until the operator has corrected them.
PAUSE: Final = timedelta(hours=1)
REFUSED_KEY: Final = "mParticle refused the key: check `key`, `secret` and `pod`"
#: From this share of a rate limit on there is a short pause after each request.
NEARLY: Final = 90.0
SLOWER: Final = timedelta(seconds=1)
_EXCEEDED = "x-mp-rate-limit-exceeded"
_USED = "x-mp-rate-limit-percentage-used"
#: The limit of how fast a rate may rise: go on, but no faster.
_ACCELERATION = "acceleration"


def judged_by_mparticle(answer: Answer, now: datetime) -> Attempt:
    """Return the result that an answer means for a bulk; a 202 says only that it was received."""
    attempt, status = replace(judged(answer, now), gone=False), answer.status
    if attempt.ok:
        return replace(attempt, retry_after=SLOWER) if _used(answer.headers) >= NEARLY else attempt
    if status in (401, 403):
        return replace(attempt, error=f"answered {status}: {REFUSED_KEY}", retry_after=PAUSE, counted=False)
    return _limited(attempt, answer.headers, now) if status == 429 else attempt


def _limited(attempt: Attempt, headers: Mapping[str, str], now: datetime) -> Attempt:
    limit = headers.get(_EXCEEDED, "").strip()
    if attempt.retry_after is None:
        attempt = pausing(attempt, headers.get("retryafter"), now)
    if attempt.retry_after is None and limit == _ACCELERATION:
        attempt = replace(attempt, retry_after=SLOWER)
    error = f"{attempt.error}: the rate limit `{limit[:40]}` is exceeded" if limit else attempt.error
    return replace(attempt, error=error, counted=attempt.retry_after is None)


def _used(headers: Mapping[str, str]) -> float:
    """Return the share of the rate limits that is used, in per cent; 0 where mParticle does not say."""
    try:
        return float(headers.get(_USED, "0"))
    except ValueError:
        return 0.0
