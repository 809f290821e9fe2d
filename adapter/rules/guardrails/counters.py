"""The counters that a rule must reserve before it issues.

Every limit becomes claims of the form `used + amount <= cap`, so that one mechanism in the store holds all
of them. Days, ISO weeks and months are those of the rule's time zone at the moment of issuing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from adapter.model.counter_key import CounterKey, encode
from adapter.model.discounts import CounterReservation
from adapter.model.ids import DEVICE
from adapter.model.money import minor_units
from adapter.model.rules import Budget, Guardrails, Period
from adapter.rules.guardrails import window_slots

#: The name under which limits over all rules are counted, and how their guardrails are called.
ALL_RULES = "*"
#: The most that a limit over any window may count: each one is a slot with counters of its own.
MOST_SLOTS = 20


class Day(Struct, frozen=True):
    """The part of a block's claims that is the same for everybody on one day of its time zone."""

    date: date
    caps: tuple[CounterReservation, ...]
    per_user: CounterKey
    budget: tuple[CounterReservation, ...]


class Counting:
    """What a block of guardrails counts for one rule; prepared once, with the claims of a day at hand."""

    def __init__(self, rule: str, guardrails: Guardrails, cost: Decimal | None) -> None:
        self._rule = rule
        self._label = "global." if rule == ALL_RULES else ""
        self._guardrails = guardrails
        self._zone = ZoneInfo(guardrails.time_zone)
        self._cost = cost
        self._per_user = self._label + "per_user_limit"
        self._cooldown = self._label + "cooldown"
        limit, window = guardrails.per_user_limit, guardrails.per_user_window
        self._by_window = limit is not None and window is not None and limit > 0
        self._by_period = limit is not None and not self._by_window
        self._personal = limit is not None or guardrails.cooldown is not None
        self._day, other = self._of(date(1970, 1, 1)), self._of(date(2000, 6, 15))
        self._dated = replace(self._day, date=other.date) != other
        self.idle = not (self._personal or self._day.caps or self._day.budget)

    def claims(self, source_id: str, device_id: str | None, now: datetime) -> list[CounterReservation]:
        """Return what to reserve to issue one discount to this customer now.

        Per-customer limits are claimed a second time for the device, where there is one.
        """
        day = self._day
        if self._dated:
            today = now.astimezone(self._zone).date()
            if day.date != today:
                day = self._day = self._of(today)
        found = [*day.caps]
        if self._personal:
            found += self._of_scope(source_id, day, now)
            if device_id:
                found += self._of_scope(f"{DEVICE}{device_id}", day, now)
        found += day.budget
        return found

    def _of_scope(self, scope: str, day: Day, now: datetime) -> list[CounterReservation]:
        rails = self._guardrails
        found: list[CounterReservation] = []
        if self._by_period:
            found.append(
                CounterReservation(scope, day.per_user, rails.per_user_limit or 0, 1, self._per_user)
            )
        elif self._by_window and rails.per_user_window is not None:
            for slot in range(rails.per_user_limit or 0):
                parts = (self._rule, *window_slots.slot(slot))
                found += _pause(parts, rails.per_user_window, scope, now, self._per_user)
        if rails.cooldown is not None:
            found += _pause((self._rule, "cooldown"), rails.cooldown, scope, now, self._cooldown)
        return found

    def _of(self, day: date) -> Day:
        rails = self._guardrails
        limits: tuple[tuple[Period, int | None, str], ...] = (
            ("day", rails.max_daily_redemptions, "max_daily_redemptions"),
            ("week", rails.max_weekly_redemptions, "max_weekly_redemptions"),
            ("total", rails.max_total_redemptions, "max_total_redemptions"),
        )
        caps = tuple(
            CounterReservation("", encode(self._rule, *span(period, day)), cap, 1, self._label + name)
            for period, cap, name in limits
            if cap is not None
        )
        per_user = encode(self._rule, "user", *span(rails.per_user_period, day))
        return Day(day, caps, per_user, tuple(self._budget(rails.budget, day)))

    def _budget(self, budget: Budget | None, day: date) -> Iterator[CounterReservation]:
        if budget is None or self._cost is None:
            return
        amount = minor_units(self._cost, budget.currency)
        spans: tuple[tuple[Period, Decimal | None], ...] = (("day", budget.daily), ("total", budget.total))
        for period, cap in spans:
            if cap is not None:
                whole = minor_units(cap, budget.currency, ROUND_FLOOR)
                key = encode(self._rule, "budget", budget.currency, *span(period, day))
                yield CounterReservation("", key, whole, amount, self._label + "budget")


def claims(
    rule: str,
    guardrails: Guardrails,
    *,
    source_id: str,
    device_id: str | None,
    now: datetime,
    cost: Decimal | None,
) -> list[CounterReservation]:
    """Return what a rule must reserve to issue one discount to this customer now.

    `rule` is ALL_RULES for the limits over all of them. `cost` is the most that the discount can cost, for
    the budget.
    """
    return Counting(rule, guardrails, cost).claims(source_id, device_id, now)


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


def _pause(
    parts: tuple[str, ...], length: timedelta, scope: str, now: datetime, name: str
) -> Iterator[CounterReservation]:
    """Yield the claims of a pause of `length`, exact to the second, between two issues.

    Time is cut in pieces of that length, with a counter each that holds when in it the last issue was (its
    offset in seconds, from 1). None may have been in this piece or, for a clock that runs behind another's,
    in the next; and one in the piece before must have been at no later an offset than now.
    """
    seconds = max(1, int(length.total_seconds()))
    piece, offset = divmod(int(now.timestamp()), seconds)
    for place, cap, amount in (
        (piece - 1, offset + 1, 0),
        (piece, offset + 1, offset + 1),
        (piece + 1, 0, 0),
    ):
        yield CounterReservation(scope, encode(*parts, str(seconds), str(place)), cap, amount, name)
