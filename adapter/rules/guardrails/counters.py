"""The counters that a rule must reserve before it issues.

Every limit becomes claims of the form `used + amount <= cap`, so that one mechanism in the store holds all
of them. Days, ISO weeks and months are those of the rule's time zone at the moment of issuing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from adapter.model.discounts import CounterReservation
from adapter.model.events import Event
from adapter.model.ids import DEVICE
from adapter.model.rules import Guardrails
from adapter.rules.guardrails.contract import CountedBlock, Guardrail, ReserveFor
from adapter.rules.guardrails.full_counters import full, guardrail_of
from adapter.rules.guardrails.membership import Membership
from adapter.rules.guardrails.registry import BY_NAME, COUNTING

#: The shop's own counters are claimed before or after those for each customer, as they are registered.
_FIRST = next(at for at, each in enumerate(COUNTING) if each.reserve_personal is not None)
_BEFORE, _AFTER = COUNTING[:_FIRST], COUNTING[_FIRST:]


class Day(Struct, frozen=True):
    """What a block claims on one day of its time zone: of the whole shop, and between for each customer."""

    date: date
    before: tuple[CounterReservation, ...]
    personal: tuple[ReserveFor, ...]
    after: tuple[CounterReservation, ...]


class Counting:
    """What a block of guardrails counts for one rule; prepared once, with the claims of a day at hand."""

    def __init__(self, rule: str, guardrails: Guardrails, cost: Decimal | None) -> None:
        self._counted = counted = CountedBlock(rule, guardrails, cost)
        self._zone = ZoneInfo(guardrails.time_zone)
        personal = [each.reserve_personal(counted) for each in COUNTING if each.reserve_personal is not None]
        self._personal = [each for each in personal if each is not None]
        self._day, other = self._of(date(1970, 1, 1)), self._of(date(2000, 6, 15))
        self._dated = _claimed(self._day) != _claimed(other)
        self._keyed = [
            each for one in COUNTING if one.reserve_keyed is not None for each in one.reserve_keyed(counted)
        ]
        self.idle = not _claimed(self._day)
        self.keyed = bool(self._keyed)

    def claims(self, source_id: str, device_id: str | None, now: datetime) -> list[CounterReservation]:
        """Return what to reserve to issue one discount to this customer now.

        Per-customer limits are claimed a second time for the device, where there is one.
        """
        day = self._day
        if self._dated:
            today = now.astimezone(self._zone).date()
            if day.date != today:
                day = self._day = self._of(today)
        found = [*day.before]
        if day.personal:
            second = int(now.timestamp())
            for reserve in day.personal:
                found += reserve(source_id, second)
            if device_id:
                device = f"{DEVICE}{device_id}"
                for reserve in day.personal:
                    found += reserve(device, second)
        found += day.after
        return found

    def keyed_claims(
        self, event: Event, members: Membership, secret: bytes, now: datetime
    ) -> list[CounterReservation]:
        """Return what to reserve for the values that keys have at an event; `secret` hashes the values."""
        day, second = now.astimezone(self._zone).date(), int(now.timestamp())
        return [
            claim
            for each in self._keyed
            for scope in each.scopes(event, members, secret)
            for claim in each.personal(day)(scope, second)
        ]

    def of_one_value(self, scope: str, now: datetime) -> list[CounterReservation]:
        """Return what would be reserved if each key had one value, under this scope."""
        day, second = now.astimezone(self._zone).date(), int(now.timestamp())
        return [claim for each in self._keyed for claim in each.personal(day)(scope, second)]

    def _of(self, day: date) -> Day:
        personal = tuple([of_day(day) for of_day in self._personal])
        return Day(day, self._of_shop(_BEFORE, day), personal, self._of_shop(_AFTER, day))

    def _of_shop(self, guardrails: Sequence[Guardrail], day: date) -> tuple[CounterReservation, ...]:
        counted = self._counted
        return tuple(
            [claim for each in guardrails if each.reserve is not None for claim in each.reserve(counted, day)]
        )


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


def reason(claim: CounterReservation, used: int) -> str:
    """Return what a claim that does not fit says to a marketer."""
    guardrail = BY_NAME.get(guardrail_of(claim.guardrail))
    return (full if guardrail is None or guardrail.full is None else guardrail.full)(claim, used)


def _claimed(day: Day) -> list[CounterReservation]:
    """Return what a customer claims on a day, at one moment whatever the day is."""
    return [*day.before, *(claim for reserve in day.personal for claim in reserve("", 0)), *day.after]
