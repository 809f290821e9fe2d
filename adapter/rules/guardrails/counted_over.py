"""A count over a calendar period or any window: how a block writes it, and the counters that keep it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

from adapter.files.schemas import Schema, one_of
from adapter.model.discounts import CounterReservation
from adapter.model.rules import Period
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import LENGTH, WHOLE
from adapter.rules.expressions.durations import window_text
from adapter.rules.guardrails.contract import CountedBlock, Personal, ReserveFor
from adapter.rules.guardrails.full_counters import giver, holder
from adapter.rules.guardrails.pause import Pause
from adapter.rules.guardrails.periods import span
from adapter.rules.guardrails.window_slots import limit_of, slot

#: The most that a limit over any window may count: each one is a slot with counters of its own.
_MOST_SLOTS = 20
#: The keys of such a block, and what people write for them.
KEYS: dict[str, Schema] = {"count": WHOLE, "per": one_of(get_args(Period)), "window": LENGTH}
OTHER_NAMES = {"limit": "count", "max": "count", "period": "per", "within": "window"}


def counted_over(block: Block, name: str, example: str) -> tuple[int | None, Period, timedelta | None]:
    """Return the count of a block, its calendar period, and its window where it has one instead."""
    window = block.length("window")
    count = block.whole("count", highest=10**12 if window is None else _MOST_SLOTS)
    period: Period | None = block.one_of("per", Period)
    if "count" not in block.values:
        block.refuse((), f"`{name}` says no `count`", f"write {example}")
    if period is not None and window is not None:
        block.refuse(("window",), "`per` and `window` both say over what it counts", "keep one of the two")
    return count, period or "total", window


def personal(
    counted: CountedBlock, name: str, limit: int, period: Period, window: timedelta | None
) -> Personal:
    """Return what keeps a limit for each customer, device or key."""
    if window is not None and limit > 0:
        return _by_window(counted, name, limit, window)
    return _by_period(counted, name, limit, period)


def all_had(claim: CounterReservation) -> str:
    """Return why a limit over any window lets no more pass; empty for a counter of another kind."""
    slots = limit_of(claim.key)
    if slots is None:
        return ""
    window = window_text(timedelta(seconds=slots.seconds))
    return f"{holder(claim)} has had all that {giver(claim)} gives in {window}"


def _by_period(counted: CountedBlock, name: str, limit: int, period: Period) -> Personal:
    label = counted.label(name)

    def of_day(day: date) -> ReserveFor:
        key = counted.key("user", *span(period, day))
        return lambda scope, second: (CounterReservation(scope, key, limit, 1, label),)

    return of_day


def _by_window(counted: CountedBlock, name: str, limit: int, window: timedelta) -> Personal:
    slots = [Pause(counted, name, slot(index), window) for index in range(limit)]

    def reserve(scope: str, second: int) -> list[CounterReservation]:
        return [claim for pause in slots for claim in pause.reserve(scope, second)]

    return lambda day: reserve
