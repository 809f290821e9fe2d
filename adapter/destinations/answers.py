"""What an HTTP answer means for a delivery: the parts that destinations have in common."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapter.destinations.contract import ANSWER_BYTES, Attempt
from adapter.destinations.schedule import LONGEST
from adapter.destinations.transport import Answer

_SECONDS = re.compile(r"[0-9]{1,9}")


def judged(answer: Answer, now: datetime) -> Attempt:
    """Return the result that an answer means where the receiver's contract says nothing else.

    Only a 2xx is success. 410 means that the endpoint wants no deliveries any more.
    """
    ok = 200 <= answer.status < 300
    return Attempt(
        ok=ok,
        retry_after=None if ok else retry_after(answer.headers.get("retry-after"), now),
        gone=answer.status == 410,
        error=None if ok else f"answered {answer.status}",
        status=answer.status,
        answer=answer.body[:ANSWER_BYTES],
    )


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or an HTTP date (RFC 9110 §10.2.3), cut at 24 hours.

    None where there is no header, or it is neither of the two.
    """
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST)
