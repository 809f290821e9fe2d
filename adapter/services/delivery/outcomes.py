"""What an attempt means for its delivery, and for its destination."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from adapter.destinations.contract import Attempt
from adapter.destinations.schedule import DELAYS, next_attempt
from adapter.model.deliveries import ROUND, Delivery, Past, PastAttempt, Pause
from adapter.store.values import DeliveryResult

#: The longest pause of a destination after one answer that counts: 429 and the like.
QUIET: Final = timedelta(minutes=1)
#: The pause after a 410.
GONE: Final = timedelta(hours=1)
#: How often a delivery is leased in one round before one that fails without a pause is given up.
MOST_LEASES: Final = ROUND - 100
_TOO_LATE = ", because the next attempt would be after the discount expires"


def result(delivery: Delivery, attempt: Attempt, now: datetime, jitter: float) -> DeliveryResult:
    """Return what is recorded of a delivery after an attempt; `jitter` from 0 to 1 spreads the retries."""
    past = _past(delivery, attempt, now)
    if attempt.ok:
        return DeliveryResult(delivery.id, delivery.attempt, done=True, past=past)
    if attempt.final:
        return replace(given_up(delivery, f"{attempt.error}; sending it again would not help"), past=past)
    made = past.of_round(past.round)
    due_at = _due_at(delivery, attempt, now, jitter, past)
    if due_at is None:
        over = made >= len(DELAYS) or _is_endless(delivery, past)
        error = f"{attempt.error}; given up after attempt {made}{'' if over else _TOO_LATE}"
        return replace(given_up(delivery, error), past=past)
    return DeliveryResult(
        delivery.id, delivery.attempt, done=False, due_at=due_at, error=attempt.error, past=past
    )


def given_up(delivery: Delivery, error: str) -> DeliveryResult:
    """Return the result of a delivery that is not sent again, with the reason."""
    return DeliveryResult(id=delivery.id, attempt=delivery.attempt, done=False, error=error)


def returned(delivery: Delivery) -> DeliveryResult:
    """Return the result of a delivery that was leased and not sent: due as before, and no attempt is lost."""
    return DeliveryResult(
        delivery.id, delivery.attempt, done=False, due_at=delivery.due_at, error=delivery.last_error
    )


def pause_after(destination: str, attempts: Sequence[Attempt], now: datetime) -> Pause | None:
    """Return the pause of a whole destination that the answer to one request asks for.

    Other deliveries then need not use up attempts. A pause that the receiver's contract defines (an attempt
    that does not count) is kept in full.
    """
    longest, reason = timedelta(0), ""
    for attempt in attempts:
        asked = attempt.retry_after or timedelta(0)
        pause = GONE if attempt.gone else min(asked, QUIET) if attempt.counted else asked
        if pause > longest:
            longest, reason = pause, attempt.error or "it asked for a pause"
    return Pause(destination, now, now + longest, reason) if longest else None


def _due_at(
    delivery: Delivery, attempt: Attempt, now: datetime, jitter: float, past: Past
) -> datetime | None:
    made = past.of_round(past.round)
    asked = max(attempt.retry_after or timedelta(0), GONE) if attempt.gone else attempt.retry_after
    if attempt.counted or asked is None:
        if not attempt.counted and _is_endless(delivery, past):
            return None
        return next_attempt(made, now, retry_after=asked, not_after=delivery.not_after, jitter=jitter)
    if delivery.not_after is not None and now + asked >= delivery.not_after:
        return None
    # The pause of the destination holds it back, and it keeps its place: where order is kept, a first one due
    # after those behind it would have each lease look through all of these.
    return min(delivery.due_at, now + asked)


def _is_endless(delivery: Delivery, past: Past) -> bool:
    """Return whether attempts that do not count are to end: many, and of late all with the same error."""
    return delivery.attempt % ROUND >= MOST_LEASES and len({each.error for each in past.latest}) == 1


def _past(delivery: Delivery, attempt: Attempt, at: datetime) -> Past:
    answer = attempt.answer.decode(errors="replace")
    made = PastAttempt(at, delivery.attempt, attempt.status, attempt.error, answer)
    return delivery.past.followed_by(made, counted=attempt.ok or attempt.counted)
