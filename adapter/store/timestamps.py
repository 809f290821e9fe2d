"""Moments as both engines keep them: whole microseconds since 1970, exactly what a datetime holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970, exactly (a float could not hold them for far years)."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def micros_or_none(moment: datetime | None) -> int | None:
    """Return microseconds since 1970, or None for no moment."""
    return None if moment is None else micros(moment)


def moment(at: int) -> datetime:
    """Return the moment, in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


def span(length: timedelta) -> int:
    """Return the whole microseconds of a span of time."""
    return length // timedelta(microseconds=1)
