"""The `guardrails` and `rollout` blocks of a rule file."""

from __future__ import annotations

import re
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from adapter.files.problems import did_you_mean
from adapter.model.actions import Action
from adapter.model.rules import Guardrails, Period, Rollout, Schedule
from adapter.rules.blocks.block import Block, shown
from adapter.rules.expressions import zones
from adapter.rules.files import budget_block
from adapter.rules.guardrails.counters import MOST_SLOTS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: What people write for keys of `guardrails`, where spelling alone leads elsewhere or nowhere.
_GUARDRAILS_TOO = {
    "max_redemptions_per_day": "max_daily_redemptions",
    "max_per_day": "max_daily_redemptions",
    "per_day": "max_daily_redemptions",
    "daily": "max_daily_redemptions",
    "max_redemptions_per_week": "max_weekly_redemptions",
    "max_per_week": "max_weekly_redemptions",
    "per_week": "max_weekly_redemptions",
    "weekly": "max_weekly_redemptions",
    "max_redemptions": "max_total_redemptions",
    "total": "max_total_redemptions",
    "per_customer_limit": "per_user_limit",
    "per_customer": "per_user_limit",
    "max_per_customer": "per_user_limit",
    "limit_per_user": "per_user_limit",
}
_PER_USER_TOO = {"limit": "count", "max": "count", "period": "per", "within": "window"}
_SCHEDULE_TOO = {"start": "from", "starts_at": "from", "end": "until", "ends_at": "until", "to": "until"}
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?!24:(?!00))([01]\d|2[0-4]):([0-5]\d)")


def guardrails(block: Block | None, action: Action | None, time_zone: str = "UTC") -> Guardrails:
    """Return the guardrails of a block; `time_zone` is the shop's, `action` prices the budget."""
    if block is None:
        return Guardrails(time_zone=time_zone)
    limit, period, window = _per_user(block)
    read = Guardrails(
        max_daily_redemptions=block.whole("max_daily_redemptions"),
        max_weekly_redemptions=block.whole("max_weekly_redemptions"),
        max_total_redemptions=block.whole("max_total_redemptions"),
        per_user_limit=limit,
        per_user_period=period,
        per_user_window=window,
        cooldown=block.length("cooldown"),
        budget=budget_block.read(block.block("budget"), action),
        stackable=block.flag("stackable") or False,
        validity_window=block.length("validity_window"),
        eligible_segments=block.some_words("eligible_segments"),
        excluded_segments=block.words("excluded_segments", "exclude_segments"),
        channels=block.some_words("channels"),
        schedule=_schedule(block.block("schedule")),
        time_zone=zone(block) or time_zone,
    )
    block.finish(_GUARDRAILS_TOO)
    return read


def zone(block: Block) -> str | None:
    """Return the name of a time zone of the IANA database."""
    name = block.text("time_zone")
    if name is None:
        return None
    if zones.named(name) is None:
        block.refuse(("time_zone",), f"`{name}` is not a time zone", zones.remedy(name))
        return None
    return name


def rollout(block: Block | None) -> Rollout:
    """Return the rollout of a block; everybody, when there is none."""
    if block is None:
        return Rollout()
    percent = block.number("percent", above=None, highest=100)
    control = block.number("control", above=None, highest=100)
    read = Rollout(
        percent=Decimal(100) if percent is None else percent,
        audience=block.some_words("audience"),
        control=control or Decimal(0),
    )
    block.finish()
    return read


def _per_user(block: Block) -> tuple[int | None, Period, timedelta | None]:
    if not isinstance(block.values.get("per_user_limit"), dict):
        return block.whole("per_user_limit"), "total", None
    inner = block.block("per_user_limit")
    if inner is None:
        return None, "total", None
    window = inner.length("window")
    count = inner.whole("count", highest=10**12 if window is None else MOST_SLOTS)
    period: Period | None = inner.one_of("per", Period)
    if "count" not in inner.values:
        inner.refuse((), "`per_user_limit` says no `count`", "write {count: 1, per: day}")
    if period is not None and window is not None:
        inner.refuse(("window",), "`per` and `window` both say over what it counts", "keep one of the two")
    inner.finish(_PER_USER_TOO)
    return count, period or "total", window


def _schedule(block: Block | None) -> Schedule | None:
    if block is None:
        return None
    weekdays: list[int] = []
    for index, day in enumerate(block.some_words("weekdays")):
        if day.lower() in (*WEEKDAYS, *DAYS):
            weekdays.append(WEEKDAYS.index(day.lower()[:3]))
        else:
            block.refuse(("weekdays", index), f"`{day}` is not a weekday", did_you_mean(day, WEEKDAYS))
    read = Schedule(
        weekdays=tuple(sorted(weekdays)),
        hours=tuple(_spans(block)),
        starts_at=block.moment("from"),
        ends_at=block.moment("until"),
    )
    if read.starts_at and read.ends_at and read.ends_at <= read.starts_at:
        block.refuse(("until",), "`until` is not after `from`", "swap the two")
    block.finish(_SCHEDULE_TOO)
    return read


def _spans(block: Block) -> list[tuple[time, time]]:
    spans: list[tuple[time, time]] = []
    for index, text in enumerate(block.some_words("hours")):
        match = HOURS.fullmatch(text)
        if match is None:
            block.refuse(("hours", index), f"{shown(text)} is not a span of hours", 'write "09:00-18:00"')
            continue
        if match.groups()[:2] == match.groups()[2:]:
            block.refuse(("hours", index), f"`{text}` ends when it begins",
                         'write "00:00-24:00" for the whole day, or leave `hours` out')  # fmt: skip
        numbers: list[Any] = [int(part) for part in match.groups()]
        spans.append((time(numbers[0], numbers[1]), time(numbers[2] % 24, numbers[3])))
    return spans
