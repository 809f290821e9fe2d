"""Calendar periods over which limits count: in keys of counters, and in sentences."""

from __future__ import annotations

from datetime import date

from adapter.model.counter_key import CounterKey, decode
from adapter.model.rules import Period

_IN_WORDS = {"day": "today", "week": "this week", "month": "this month", "total": "in all"}


def span(period: Period, day: date) -> tuple[str, ...]:
    """Return the parts of a key that name the day, ISO week or month of a day, or all time."""
    if period == "day":
        return period, f"{day:%Y-%m-%d}"
    if period == "month":
        return period, f"{day:%Y-%m}"
    if period == "week":
        year, week, _ = day.isocalendar()
        return period, f"{year}-W{week:02}"
    return (period,)


def in_words(key: CounterKey) -> str:
    """Return the period that a key names, as sentences say it; nothing where it names none."""
    _, parts = decode(key)
    return next((_IN_WORDS[part] for part in parts if part in _IN_WORDS), "")
