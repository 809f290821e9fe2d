"""What an HTTP answer means for a delivery: the parts that destinations have in common."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from adapter.destinations.contract import ANSWER_BYTES, Attempt
from adapter.destinations.schedule import LONGEST
from adapter.destinations.transport import Answer

_SECONDS = re.compile(r"[0-9]{1,9}")


def judged(answer: Answer, now: datetime) -> Attempt:
    """Return the result that an answer means where the receiver's contract says nothing else.

    Only a 2xx is success. 410 means that the endpoint no longer takes deliveries.
    """
    ok = 200 <= answer.status < 300
    attempt = Attempt(
        ok=ok,
        gone=answer.status == 410,
        error=None if ok else f"answered {answer.status}",
        status=answer.status,
        answer=answer.body[:ANSWER_BYTES],
    )
    return attempt if ok else pausing(attempt, answer.headers.get("retry-after"), now)


def pausing(attempt: Attempt, header: str | None, now: datetime) -> Attempt:
    """Return an attempt with the pause that a header asks for, cut at 24 hours; its error says if it was."""
    asked = retry_after(header, now)
    if asked is None or asked <= LONGEST:
        return replace(attempt, retry_after=asked)
    hours, most = round(asked / timedelta(hours=1)), LONGEST // timedelta(hours=1)
    error = f"{attempt.error}; it asked for a pause of {hours} hours, which was cut to {most}"
    return replace(attempt, retry_after=LONGEST, cut=True, error=error)


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or an HTTP date (RFC 9110 §10.2.3).

    None where there is no header, or it is neither of the two.
    """
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - now, timedelta(0))
