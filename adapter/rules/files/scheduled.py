"""Triggers that are schedules over customers: `{every: ...}` and `{on: ...}`."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any, Final

from adapter.model import zones
from adapter.model.triggers import Every, OnDate
from adapter.rules.blocks.block import Block, duration

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_EXAMPLES: Final = (
    'write "day 09:00", "monday 09:00", "first day of month 09:00", "15 of month 09:00", '
    '"last friday of month 18:00", "first day of quarter 09:00" or "first day of year 09:00"'
)
#: A firing that begins later than this is late for a rule that skips late ones.
LATE: Final = timedelta(hours=1)
_FARTHEST: Final = timedelta(days=366)


def every(block: Block, time_zone: str) -> Every | None:
    """Return `{every: "first day of month 09:00", for: gold}`."""
    before = len(block.problems)
    written = block.text("every", required=True)
    segment = block.text("for")
    zone, late = _zone(block, time_zone), _late(block)
    block.finish({"segment": "for", "timezone": "time_zone"})
    when = None if written is None else _recurrence(written)
    if written is not None and when is None:
        block.refuse(("every",), f"`{written}` is no schedule", _EXAMPLES)
    if when is None or len(block.problems) > before:
        return None
    return Every(**when, time_zone=zone, segment=segment, late=late)


def on_date(block: Block, time_zone: str) -> OnDate | None:
    """Return `{on: user.birthdate, before: 3d, at: "09:00"}`."""
    problems = len(block.problems)
    trait = block.text("on", required=True)
    days = _days(block)
    at = _time_of_day(block)
    repeat = block.text("repeat")
    if repeat not in (None, "yearly", "once"):
        block.refuse(("repeat",), f"`repeat` cannot be `{repeat}`", "write yearly or once")
    zone, late = _zone(block, time_zone), _late(block)
    block.finish({"date": "on", "timezone": "time_zone"})
    if trait is None or at is None or len(block.problems) > problems:
        return None
    path = trait.removeprefix("user.").removeprefix("traits.")
    return OnDate(trait=path, at=at, time_zone=zone, days=days, yearly=repeat != "once", late=late)


def _recurrence(text: str) -> dict[str, Any] | None:
    """Return the members of a schedule that a text says; None where it says none."""
    *words, clock = text.lower().split()
    at = _clock(clock)
    if at is None:
        return None
    said: dict[str, Any] = {"at": at}
    match words:
        case ["day"]:
            return {**said, "recurrence": "day"}
        case [weekday] if weekday in _WEEKDAYS:
            return {**said, "recurrence": "week", "weekday": _WEEKDAYS.index(weekday)}
        case [nth, "day", "of", ("month" | "quarter" | "year") as period] if nth in ("first", "last"):
            return {**said, "recurrence": period, "day": _NTH[nth]}
        case [nth, weekday, "of", "month"] if nth in _NTH and weekday in _WEEKDAYS:
            return {
                **said, "recurrence": "month_weekday", "day": _NTH[nth], "weekday": _WEEKDAYS.index(weekday),
            }  # fmt: skip
        case [number, "of", "month"] if number.isdecimal() and 1 <= int(number) <= 31:
            return {**said, "recurrence": "month", "day": int(number)}
    return None


def _clock(text: str) -> time | None:
    found = _TIME.fullmatch(text)
    return None if found is None else time(int(found[1]), int(found[2]))


def _time_of_day(block: Block) -> time | None:
    if "at" not in block.values:
        block.lacks("at", 'add `at: "09:00"`')
        return None
    text = block.text("at")
    at = None if text is None else _clock(text)
    if text is not None and at is None:
        block.refuse(("at",), f"`{text}` is no time of the day", 'write "09:00"')
    return at


def _days(block: Block) -> int:
    """Return how many days after the date a firing is due; negative before it."""
    found = 0
    if "before" in block.values and "after" in block.values:
        block.refuse(("after",), "`before` and `after` cannot both be", "leave one of them out")
    for key, sign in (("before", -1), ("after", +1)):
        length = block.length(key)
        if length is None:
            continue
        if length % timedelta(days=1) or length > _FARTHEST:
            block.refuse(
                (key,), f"`{key}` is not a number of days up to 366", "write days or weeks, such as 3d"
            )
        found = sign * length.days
    return found


def _zone(block: Block, default: str) -> str:
    name = block.text("time_zone")
    if name is not None and zones.named(name) is None:
        block.refuse(("time_zone",), f"`{name}` is no time zone", zones.remedy(name))
    return name or default


def _late(block: Block) -> timedelta | None:
    """Return how late a firing may begin; None where it is made up for however late."""
    word = block.text("if_late")
    if word in (None, "catch_up"):
        return None
    late = LATE if word == "skip" else duration(word or "")
    if late is None:
        block.refuse(("if_late",), f"`if_late` cannot be `{word}`",
                     "write catch_up, skip (after one hour), or the longest delay, such as 6h")  # fmt: skip
    return late
