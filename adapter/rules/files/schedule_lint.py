"""Whether a schedule ever lets its rule run: its dates may hold no such weekday or hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from adapter.model.rules import Schedule
from adapter.rules.guardrails.checks import on_the_clock

#: So long a time has every weekday and hour, also where the clocks change within it.
_ALL = timedelta(days=9)


def runs(schedule: Schedule, zone: ZoneInfo) -> bool:
    """Tell whether there is a moment at which the schedule lets a rule run."""
    begins, ends = schedule.starts_at, schedule.ends_at
    if begins is None or ends is None or ends - begins >= _ALL:
        return True
    return any(on_the_clock(schedule, local) for local in _turns(schedule, begins, ends, zone))


def _turns(schedule: Schedule, begins: datetime, ends: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the beginning, and each moment before the end at which a day or a span of hours starts."""
    local = begins.astimezone(zone)
    yield local
    starts = {time(0), *(start for start, _ in schedule.hours)}
    for days in range(_ALL.days + 1):
        day = local.date() + timedelta(days=days)
        for start in starts:
            moment = datetime.combine(day, start, zone)
            if begins < moment < ends:
                yield moment
