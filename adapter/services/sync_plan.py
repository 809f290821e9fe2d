"""How many calls a month forwarding takes at several intervals, from recorded traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from adapter.model.discounts import DiscountRecord
from adapter.store.contract import Store
from adapter.store.values import CustomerHistory

#: The intervals of the plan, by the text of the setting.
INTERVALS: Final = {
    "0": timedelta(0),
    "1m": timedelta(minutes=1),
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
#: A month of the plan.
MONTH: Final = timedelta(days=30)
#: Less traffic than this is not scaled up to a month.
_SHORTEST: Final = timedelta(days=1)
_PAGE: Final = 500
ForwardKind = Literal["customers", "events"]
_ENDED: Final = ("redeemed", "expired", "revoked")


class Planned(Struct, frozen=True, kw_only=True):
    """A destination of a plan: its quota (0 is none), and the calls of an issued and an ended discount."""

    name: str
    type: str
    forward: tuple[ForwardKind, ...]
    interval: str
    per_minute: int = 0
    per_month: int = 0
    calls_issued: int = 1
    calls_ended: int = 1


class PlanRow(Struct, frozen=True):
    """Calls a month at one interval; `busiest_minute` is the most calls that one recorded minute would take.

    `fits` says whether the quota of a month is enough.
    """

    interval: str
    customers: int
    events: int
    discounts: int
    calls: int
    busiest_minute: int
    fits: bool


class Plan(Struct, frozen=True):
    """The plan of one destination; `recommended` is the shortest interval that fits, None where none does."""

    destination: str
    type: str
    days: float
    per_minute: int
    per_month: int
    configured: str
    rows: list[PlanRow]
    recommended: str | None
    advice: str


class Traffic(Struct):
    """What was recorded: events, sends of customers by interval, and discounts; each by minute."""

    events: Counter[int]
    customers: dict[str, Counter[int]]
    issued: int = 0
    ended: int = 0
    first: float | None = None


async def recorded(store: Store, since: datetime, now: datetime) -> Traffic:
    """Return the traffic of a time; reads every customer once."""
    traffic = Traffic(Counter(), {name: Counter() for name in INTERVALS})
    after = ""
    while histories := await store.customer_histories(after, _PAGE):
        after = histories[-1].source_id
        for history in histories:
            _add_customer(traffic, history, since, now)
    after = ""
    while True:
        page = await store.issued(after)
        for each in page:
            _add_discount(traffic, each.held, since, now)
        if page.next is None:
            return traffic
        after = page.next


def plan(traffic: Traffic, destination: Planned, now: datetime) -> Plan:
    """Return the plan of a destination."""
    first = now.timestamp() if traffic.first is None else traffic.first
    observed = max(timedelta(seconds=now.timestamp() - first), _SHORTEST)
    rows = [_row(name, traffic, destination, MONTH / observed) for name in INTERVALS]
    fitting = next((row for row in rows if row.fits and row.calls), None)
    return Plan(
        destination=destination.name,
        type=destination.type,
        days=round(observed / timedelta(days=1), 1),
        per_minute=destination.per_minute,
        per_month=destination.per_month,
        configured=destination.interval,
        rows=rows,
        recommended=None if fitting is None else fitting.interval,
        advice=_advice(rows, fitting, destination),
    )


def sends(moments: Iterable[float], interval: timedelta) -> list[float]:
    """Return when a customer who changes at these moments is sent: an interval after a first change."""
    found: list[float] = []
    for moment in sorted(moments):
        if not interval or not found or moment >= found[-1]:
            found.append(moment + interval.total_seconds())
    return found


def _add_customer(traffic: Traffic, history: CustomerHistory, since: datetime, now: datetime) -> None:
    """Add one customer; each event and each time of a fact counts as a change of the customer."""
    begin, end = since.timestamp(), now.timestamp()
    events = [event.occurred_at.timestamp() for event in history.events]
    events = [moment for moment in events if begin <= moment <= end]
    told = [] if history.customer is None else [at / 1000 for at in history.customer.told_at.values()]
    moments = {*events, *(moment for moment in told if begin <= moment <= end)}
    if not moments:
        return
    earliest = min(moments)
    traffic.first = earliest if traffic.first is None else min(traffic.first, earliest)
    traffic.events.update(map(_minute, events))
    for name, interval in INTERVALS.items():
        traffic.customers[name].update(map(_minute, sends(moments, interval)))


def _add_discount(traffic: Traffic, held: DiscountRecord, since: datetime, now: datetime) -> None:
    traffic.issued += since <= held.issued_at <= now
    traffic.ended += held.discount.status in _ENDED and since <= held.moved_at <= now


def _row(interval: str, traffic: Traffic, destination: Planned, scale: float) -> PlanRow:
    minutes: Counter[int] = Counter()
    customers = events = 0
    if "customers" in destination.forward:
        minutes.update(traffic.customers[interval])
        customers = _scaled(traffic.customers[interval].total(), scale)
    if "events" in destination.forward:
        minutes.update(traffic.events)
        events = _scaled(traffic.events.total(), scale)
    calls = traffic.issued * destination.calls_issued + traffic.ended * destination.calls_ended
    discounts = _scaled(calls, scale)
    total = customers + events + discounts
    fits = not destination.per_month or total <= destination.per_month
    return PlanRow(interval, customers, events, discounts, total, max(minutes.values(), default=0), fits)


def _advice(rows: Sequence[PlanRow], fitting: PlanRow | None, destination: Planned) -> str:
    if not rows[0].calls:
        return "no traffic is recorded in this time: nothing can be recommended"
    if not destination.per_month:
        return "set `per_month` to the calls of your plan, to see which interval fits"
    if fitting is not None:
        share = 100 * fitting.calls / destination.per_month
        return f'`interval = "{fitting.interval}"` takes {share:.0f} % of the calls of a month'
    fixed = rows[-1].events + rows[-1].discounts
    if fixed > destination.per_month and rows[-1].events:
        return "events alone take more calls than the plan has: forward customers only, or take a larger plan"
    return "no interval fits: forward less, or take a larger plan"


def _scaled(count: int, scale: float) -> int:
    return round(count * scale)


def _minute(moment: float) -> int:
    return int(moment // 60)
