"""`schedule`: on which days and at which hours a rule issues, on the clock of its time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from adapter.files.problems import did_you_mean
from adapter.files.schemas import block as block_schema
from adapter.files.schemas import listed
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule, Schedule
from adapter.rules.blocks.block import Block, shown
from adapter.rules.blocks.schema import MOMENT
from adapter.rules.guardrails.contract import OR_PAUSE, Check, Guardrail, Rejection, withheld
from adapter.rules.guardrails.membership import Membership

NAME = "schedule"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?!24:(?!00))([01]\d|2[0-4]):([0-5]\d)")
#: What people write for keys of the block, where spelling alone leads elsewhere or nowhere.
_OTHER_NAMES = {"start": "from", "starts_at": "from", "end": "until", "ends_at": "until", "to": "until"}
#: So long a time has every weekday and hour, also where the clocks change within it.
_EVERY_HOUR = timedelta(days=9)

_NAMED = "|".join(f"[{day[0].upper()}{day[0]}]{day[1:]}" for day in (*_WEEKDAYS, *_DAYS))
_WEEKDAY = {"type": "string", "pattern": f"^({_NAMED})$", "examples": list(_WEEKDAYS)}
_SPAN = {"type": "string", "pattern": f"^{_HOURS.pattern}$"}
_BLOCK = block_schema({
    "weekdays": {"anyOf": [_WEEKDAY, listed(_WEEKDAY, minItems=1)]},
    "hours": {"anyOf": [_SPAN, listed(_SPAN, minItems=1)]},
    "from": MOMENT, "until": MOMENT,
})  # fmt: skip


def _schedule(block: Block | None) -> Schedule | None:
    if block is None:
        return None
    weekdays: list[int] = []
    for index, day in enumerate(block.some_words("weekdays")):
        if day.lower() in (*_WEEKDAYS, *_DAYS):
            weekdays.append(_WEEKDAYS.index(day.lower()[:3]))
        else:
            block.refuse(("weekdays", index), f"`{day}` is not a weekday", did_you_mean(day, _WEEKDAYS))
    read = Schedule(
        weekdays=tuple(sorted(weekdays)),
        hours=tuple(_spans(block)),
        starts_at=block.moment("from"),
        ends_at=block.moment("until"),
    )
    if read.starts_at and read.ends_at and read.ends_at <= read.starts_at:
        block.refuse(("until",), "`until` is not after `from`", "swap the two")
    block.finish(_OTHER_NAMES)
    return read


def _spans(block: Block) -> list[tuple[time, time]]:
    spans: list[tuple[time, time]] = []
    for index, text in enumerate(block.some_words("hours")):
        match = _HOURS.fullmatch(text)
        if match is None:
            block.refuse(("hours", index), f"{shown(text)} is not a span of hours", 'write "09:00-18:00"')
            continue
        if match.groups()[:2] == match.groups()[2:]:
            block.refuse(("hours", index), f"`{text}` ends when it begins",
                         'write "00:00-24:00" for the whole day, or leave `hours` out')  # fmt: skip
        numbers: list[Any] = [int(part) for part in match.groups()]
        spans.append((time(numbers[0], numbers[1]), time(numbers[2] % 24, numbers[3])))
    return spans


def _check(rule: Rule, guardrails: Guardrails, label: str) -> Check | None:
    schedule, zone, name = guardrails.schedule, ZoneInfo(guardrails.time_zone), label + NAME
    if schedule is None:
        return None

    def check(event: Event, members: Membership, now: datetime) -> Rejection | None:
        if schedule.starts_at is not None and now < schedule.starts_at:
            return withheld(name, f"the rule starts at {schedule.starts_at:%Y-%m-%d %H:%M} UTC")
        if schedule.ends_at is not None and now >= schedule.ends_at:
            return withheld(name, f"the rule ended at {schedule.ends_at:%Y-%m-%d %H:%M} UTC")
        local = now.astimezone(zone)
        if _on_the_clock(schedule, local):
            return None
        clock = f"it is {_DAYS[local.weekday()].capitalize()} {local:%H:%M} in {zone.key}"
        return withheld(name, f"{clock}, and the rule does not run then")

    return check


def _on_the_clock(schedule: Schedule, local: datetime) -> bool:
    """Tell whether weekday and hour let the rule run; a span over midnight belongs to the day it starts."""
    today, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
    days, at = schedule.weekdays or tuple(range(7)), local.time()
    if not schedule.hours:
        return today in days
    for begins, ends in schedule.hours:
        if begins < ends:
            if today in days and begins <= at < ends:
                return True
        elif (today in days and at >= begins) or (yesterday in days and at < ends and ends != time(0)):
            return True
    return False


def _runs(schedule: Schedule, zone: ZoneInfo) -> bool:
    """Tell whether there is a moment at which the schedule lets a rule run."""
    begins, ends = schedule.starts_at, schedule.ends_at
    if begins is None or ends is None or ends - begins >= _EVERY_HOUR:
        return True
    return any(_on_the_clock(schedule, local) for local in _turns(schedule, begins, ends, zone))


def _turns(schedule: Schedule, begins: datetime, ends: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the beginning, and each moment before the end at which a day or a span of hours starts."""
    local = begins.astimezone(zone)
    yield local
    starts = {time(0), *(start for start, _ in schedule.hours)}
    for days in range(_EVERY_HOUR.days + 1):
        day = local.date() + timedelta(days=days)
        for start in starts:
            moment = datetime.combine(day, start, zone)
            if begins < moment < ends:
                yield moment


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    schedule, time_zone = rule.guardrails.schedule, rule.guardrails.time_zone
    if schedule is None:
        return
    if not _runs(schedule, ZoneInfo(time_zone)):
        block.warn(("guardrails", NAME),
                   "no such weekday or hour lies between `from` and `until`, so the rule never issues",
                   f"move one of them, in the time zone {time_zone}")  # fmt: skip
    if now is not None and schedule.ends_at is not None and schedule.ends_at <= now:
        block.warn(("guardrails", NAME, "until"), "`until` is past: the rule issues nothing more",
                   f"write a later moment, {OR_PAUSE}")  # fmt: skip


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: _BLOCK},
    parse=lambda block, action: {NAME: _schedule(block.block(NAME))},
    check=_check,
    lint=_lint,
)
