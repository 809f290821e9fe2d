"""`per_user_limit`: how many discounts one customer, and one device, gets in a period or any window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, get_args

from adapter.files.schemas import block as block_schema
from adapter.files.schemas import one_of, said
from adapter.model.actions import Action
from adapter.model.discounts import CounterReservation
from adapter.model.rules import Period, Rule
from adapter.rules.blocks.block import Block
from adapter.rules.blocks.schema import LENGTH, WHOLE
from adapter.rules.expressions.durations import window_text
from adapter.rules.guardrails.contract import Counted, Guardrail, Personal, ReserveFor
from adapter.rules.guardrails.full_counters import full, giver, holder
from adapter.rules.guardrails.max_redemptions import warn_of_nothing
from adapter.rules.guardrails.pause import Pause
from adapter.rules.guardrails.periods import span
from adapter.rules.guardrails.window_slots import limit_of, slot

NAME = "per_user_limit"
#: The most that a limit over any window may count: each one is a slot with counters of its own.
_MOST_SLOTS = 20
_BLOCK = block_schema({"count": WHOLE, "per": one_of(get_args(Period)), "window": LENGTH}, "count")


def _parse(block: Block, action: Action | None) -> Mapping[str, Any]:
    if not isinstance(block.values.get(NAME), dict):
        return {NAME: block.whole(NAME)}
    inner = block.block(NAME)
    if inner is None:
        return {}
    window = inner.length("window")
    count = inner.whole("count", highest=10**12 if window is None else _MOST_SLOTS)
    period: Period | None = inner.one_of("per", Period)
    if "count" not in inner.values:
        inner.refuse((), "`per_user_limit` says no `count`", "write {count: 1, per: day}")
    if period is not None and window is not None:
        inner.refuse(("window",), "`per` and `window` both say over what it counts", "keep one of the two")
    inner.finish({"limit": "count", "max": "count", "period": "per", "within": "window"})
    return {NAME: count, "per_user_period": period or "total", "per_user_window": window}


def _reserve(counted: Counted) -> Personal | None:
    limit, window = counted.guardrails.per_user_limit, counted.guardrails.per_user_window
    if limit is None:
        return None
    if window is not None and limit > 0:
        return _by_window(counted, limit, window)
    return _by_period(counted, limit)


def _by_period(counted: Counted, limit: int) -> Personal:
    period, name = counted.guardrails.per_user_period, counted.label(NAME)

    def of_day(day: date) -> ReserveFor:
        key = counted.key("user", *span(period, day))
        return lambda scope, second: (CounterReservation(scope, key, limit, 1, name),)

    return of_day


def _by_window(counted: Counted, limit: int, window: timedelta) -> Personal:
    slots = [Pause(counted, NAME, slot(index), window) for index in range(limit)]

    def reserve(scope: str, second: int) -> list[CounterReservation]:
        return [claim for pause in slots for claim in pause.reserve(scope, second)]

    return lambda day: reserve


def _full(claim: CounterReservation, used: int) -> str:
    slots = limit_of(claim.key)
    if slots is None:
        return full(claim, used)
    window = window_text(timedelta(seconds=slots.seconds))
    return f"{holder(claim)} has had all that {giver(claim)} gives in {window}"


def _lint(block: Block, rule: Rule, now: datetime | None) -> None:
    if rule.guardrails.per_user_limit == 0:
        warn_of_nothing(block, NAME)


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={NAME: said({"anyOf": [WHOLE, _BLOCK]}, "For each customer, and each device.")},
    parse=_parse,
    other_names={
        "per_customer_limit": NAME,
        "per_customer": NAME,
        "max_per_customer": NAME,
        "limit_per_user": NAME,
    },
    reserve_personal=_reserve,
    full=_full,
    lint=_lint,
)
