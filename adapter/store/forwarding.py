"""The parts of forwarding that both engines share: rows, and the arithmetic of quotas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.store.forwarding_values import CallLimits, Forward, MakeDelivery, NewForward, Refusal
from adapter.store.rows import read_customer, read_event
from adapter.store.timestamps import micros, moment

#: A second of calls counts so long: a call may be at the end of its second.
_MINUTE: Final = 61_000_000
_SECOND: Final = 1_000_000


def forward_row(new: NewForward, owner: str) -> tuple[Any, ...]:
    """Return the columns of something to be forwarded."""
    body = b"" if new.event is None else encode(new.event)
    return owner, new.destination, new.kind, new.ref, micros(new.due_at), body


def made(
    destination: str, rows: Iterable[tuple[str, str, str, bytes, bytes | None]], make: MakeDelivery
) -> list[Delivery]:
    """Return the outbox entries of rows of key, kind, ref, body and the customer's body."""
    found = []
    for key, kind, ref, body, customer_body in rows:
        customer = None if customer_body is None else read_customer(customer_body).named()
        event = read_event(body) if kind == "event" else None
        source_id = key if customer is None else customer.source_id
        delivery = make(Forward(source_id, destination, ref, customer, event))
        if delivery is not None:
            found.append(replace(delivery, source_id=key))
    return found


def month_of(now: datetime) -> datetime:
    """Return the beginning of a moment's calendar month."""
    return now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def refusal(
    made: Sequence[tuple[str, int, int]], calls: int, limits: CallLimits, now: datetime
) -> Refusal | None:
    """Return why calls may not be made now; None where they may.

    `made` are rows of `calls`, the earliest first: any 60 seconds have at most the calls of a minute. More
    calls at once than a limit has wait for an unused one.
    """
    month = micros(month_of(now))
    this_month = sum(used for kind, at, used in made if kind == "month" and at == month)
    if limits.per_month and this_month + min(calls, limits.per_month) > limits.per_month:
        return Refusal(month_of(month_of(now) + timedelta(days=32)), "month")
    if not limits.per_minute:
        return None
    seconds = [(at, used) for kind, at, used in made if kind == "second" and at > micros(now) - _MINUTE]
    over = sum(used for _, used in seconds) + min(calls, limits.per_minute) - limits.per_minute
    if over <= 0:
        return None
    # Until a quarter is free: to go on with a single call would end in the next refusal.
    over += max(limits.per_minute // 4 - calls, 0)
    until = now
    for at, used in seconds:
        until = moment(at + _MINUTE)
        over -= used
        if over <= 0:
            break
    return Refusal(until, "minute")


def call_rows(destination: str, calls: int, now: datetime) -> list[tuple[str, str, int, int]]:
    """Return the rows that count calls."""
    second = micros(now) // _SECOND * _SECOND
    return [
        (destination, "second", second, calls),
        (destination, "month", micros(month_of(now)), calls),
    ]


def forgotten_before(destination: str, now: datetime) -> tuple[str, int, int]:
    """Return what `forget_calls` takes: seconds older than a minute, and months before the last one."""
    return destination, micros(now) - _MINUTE, micros(month_of(month_of(now) - timedelta(days=1)))
