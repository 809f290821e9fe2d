"""Whether senders reach the server: its address, its speed, large bodies, and clocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapter.cli.diagnosis.finding import Finding, failure, ok, skipped, warning
from adapter.cli.diagnosis.web import Answer
from adapter.settings.values import Settings

#: Segment's largest batch: 4 MB.
LARGE = 4 * 1024 * 1024
#: Seconds: Segment's classic webhooks give up after five, and some requests after four.
_LATE, _SLOW = 4.0, 2.0
_SKEW, _WRONG = 5, 60


def reachable(url: str, live: Answer) -> Iterator[Finding]:
    """Yield whether `GET /health/live` reached an adapter."""
    check = "address"
    if live.status == 0:
        yield failure(check, f"nothing answers at {url}: {live.error}", "start the server, see host, port "
                      "and firewall, or name the public address with --url")  # fmt: skip
    elif 300 <= live.status < 400:
        to = live.headers.get("location", "another address")
        yield failure(check, f"{url} redirects to {to}, and a redirected POST loses its body",
                      "name the address in the end, at Segment and mParticle too")  # fmt: skip
    elif live.status != 200 or live.value.get("status") != "ok":
        yield failure(check, f"what answers at {url} with {live.status} is not the adapter",
                      "let the proxy forward the whole path to server.host and server.port")  # fmt: skip
    else:
        yield ok(check, f"the adapter answers at {url}")


def large_body(answer: Answer | None, settings: Settings) -> Iterator[Finding]:
    """Yield whether a body of Segment's largest batch arrives; `answer` is None where none was sent."""
    check, limit = "large bodies", settings.server.max_body_bytes
    if limit < LARGE:
        yield warning(check, f"server.max_body_bytes is {limit:,}, and a batch of Segment may have {LARGE:,}",
                      "set server.max_body_bytes to 5000000 or more")  # fmt: skip
    elif answer is None:
        yield skipped(check, "no body was sent")
    elif answer.status == 413:
        yield _too_large(check, answer)
    elif answer.status == 200:
        yield ok(check, f"a body of {LARGE:,} bytes arrives")
    else:
        said = f"answered {answer.status}" if answer.status else answer.error
        yield failure(check, f"a body of {LARGE:,} bytes: {said}",
                      "see the limits and timeouts of the proxy for bodies")  # fmt: skip


def _too_large(check: str, answer: Answer) -> Finding:
    if answer.refusal:
        remedy = "raise server.max_body_bytes in the settings of the server, and restart it"
        return failure(check, f"the server refuses a body of {LARGE:,} bytes", remedy)
    remedy = "raise the proxy's limit to 5 MB or more (nginx: client_max_body_size 6m)"
    return failure(check, f"a proxy answers 413 to {LARGE:,} bytes, and Segment drops such a batch", remedy)


def speed(answers: Iterable[Answer], settings: Settings) -> Iterator[Finding]:
    """Yield whether test messages were answered as quickly as Segment needs it."""
    check = "response time"
    if settings.ingest.max_wait_seconds >= _LATE:
        yield warning(check, f"ingest.max_wait_seconds is {settings.ingest.max_wait_seconds}, and Segment "
                      "gives up after 4 to 5 seconds", "set it to 3")  # fmt: skip
    slowest = max((each.seconds for each in answers if each.status), default=None)
    if slowest is None:
        yield skipped(check, "no test message was answered")
    elif slowest >= _SLOW:
        kind = failure if slowest >= _LATE else warning
        yield kind(check, f"{slowest:.2f} s, and Segment gives up after 4 to 5",
                   "see the proxy, the network and the store: docs/faults.md")  # fmt: skip
    else:
        yield ok(check, f"{slowest * 1000:.0f} ms, and Segment waits 4 to 5 seconds")


def proxy_clock(live: Answer, now: datetime) -> Iterator[Finding]:
    """Yield how the clock of what answers differs from this machine's, where it sends a Date header."""
    if (given := live.headers.get("date")) is None:
        return
    try:
        date = parsedate_to_datetime(given)
    except ValueError:
        return
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    yield skew("clock of the public address", (date - now).total_seconds())


def skew(check: str, seconds: float) -> Finding:
    """Return whether a clock is near enough to this machine's."""
    detail = f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'} of this machine's"
    if abs(seconds) <= _SKEW:
        return ok(check, "agrees with this machine's")
    kind = failure if abs(seconds) > _WRONG else warning
    return kind(check, detail, "let both machines use NTP: a clock decides which events are too old to earn")
