"""What a reply means for the delivery: delivered, again later, or given up.

The limits are those of https://docs.voucherify.io/guides/limits: calls a minute, and calls a cycle (a month).
While one is used up, attempts do not count: the ten of a delivery end before a month does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from adapter.destinations.contract import ANSWER_BYTES, Attempt
from adapter.destinations.voucherify.api import Reply

#: Of a minute's limit, where the reply does not say when it ends.
MINUTE: Final = timedelta(minutes=1)
#: Of a cycle's limit, and while the keys are refused.
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
#: Statuses of replies after which the same call may succeed.
_TEMPORARY: Final = frozenset({404, 408, 409, 410, 423, 425})
_SECOND = re.compile(r"[0-9]{1,11}")


def delivered(reply: Reply) -> Attempt:
    """Return the attempt of a call that succeeded."""
    return Attempt(ok=True, status=reply.status, answer=reply.body[:ANSWER_BYTES])


def failed(reply: Reply, now: datetime) -> Attempt:
    """Return the attempt of a call that did not."""
    status = reply.status
    if status in (402, 429):
        return _limited(reply, now)
    if status in (401, 403):
        said = "Voucherify refused the keys: check `application_id`, `token` and `region`"
        return _attempt(reply, said, retry_after=HOUR, counted=False)
    if status >= 500 or status in _TEMPORARY or status < 400:
        return _attempt(reply, answered(reply))
    return given_up(reply, answered(reply))


def given_up(reply: Reply, reason: str) -> Attempt:
    """Return the attempt after which the delivery is given up."""
    return _attempt(reply, reason, final=True)


def answered(reply: Reply) -> str:
    """Return a sentence that names the status and the key of an error; its message may have personal data."""
    return f"answered {reply.status} {reply.key}".rstrip()


def _limited(reply: Reply, now: datetime) -> Attempt:
    """Return the attempt that met a limit; 429 also says that the plan has ended, 402 that it is exceeded."""
    until = _until(reply, now)
    monthly = reply.status == 402 or reply.headers.get("x-rate-limit-type") == "api_calls_cycle"
    if not monthly:
        wait = MINUTE if until is None else until - now
        return _attempt(reply, "the limit of calls a minute is used up", retry_after=wait, counted=False)
    when = "" if until is None else f" until {until:%Y-%m-%d}"
    said = f"monthly quota of Voucherify used up{when}, or the plan has ended"
    return _attempt(reply, said, retry_after=DAY if until is None else until - now, counted=False)


def _until(reply: Reply, now: datetime) -> datetime | None:
    """Return when a limit ends: X-Rate-Limit-Retry is a second since 1970, Retry-After as HTTP has it."""
    second = reply.headers.get("x-rate-limit-retry", "").strip()
    if _SECOND.fullmatch(second):
        return max(datetime.fromtimestamp(int(second), UTC), now)
    after = reply.headers.get("retry-after", "").strip()
    if _SECOND.fullmatch(after):
        return now + timedelta(seconds=min(int(after), 40 * 86_400))
    try:
        moment = parsedate_to_datetime(after)
    except (ValueError, OverflowError):
        return None
    return max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now)


def _attempt(
    reply: Reply,
    error: str,
    *,
    retry_after: timedelta | None = None,
    counted: bool = True,
    final: bool = False,
) -> Attempt:
    return Attempt(
        ok=False,
        retry_after=retry_after,
        error=error,
        status=reply.status,
        answer=reply.body[:ANSWER_BYTES],
        counted=counted,
        final=final,
    )
