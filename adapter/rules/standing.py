"""Guardrails that need no counter: status, segments, channels, schedule, rollout."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from msgspec import Struct

from adapter.model.decisions import Outcome
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rule, Schedule
from adapter.rules.issue import expiry
from adapter.rules.rollout import controlled, within
from adapter.rules.segments import Membership
from adapter.rules.worth import most

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Stop(Struct, frozen=True):
    """Why a rule whose conditions hold issues nothing, before any counter is looked at."""

    outcome: Outcome
    guardrail: str
    reason: str


def _withheld(guardrail: str, reason: str) -> Stop:
    return Stop("withheld", guardrail, f"not issued: {reason}")


def stopped(rule: Rule, event: Event, members: Membership, now: datetime) -> Stop | None:
    """Return what stops the rule for this customer now, else None."""
    if rule.status == "paused":
        return _withheld("status", "the rule is paused")
    return (
        guarded(rule, rule.guardrails, event, members, now)
        or _expired(rule, now)
        or _rolled_out(rule, members)
        or (
            Stop("shadow", "status", "would be issued, but the rule is a shadow")
            if rule.status == "shadow"
            else None
        )
    )


def guarded(
    rule: Rule, guardrails: Guardrails, event: Event, members: Membership, now: datetime, *, label: str = ""
) -> Stop | None:
    """Return which guardrail of a block stops it; `label` goes before the guardrail's name."""
    stop = (
        _segments(guardrails, members)
        or _channel(guardrails, event)
        or _scheduled(guardrails, now)
        or _priced(rule, guardrails, event)
    )
    return Stop(stop.outcome, label + stop.guardrail, stop.reason) if stop and label else stop


def _segments(guardrails: Guardrails, members: Membership) -> Stop | None:
    for name in guardrails.excluded_segments:
        known = members.get(name)
        if known is None:
            return _withheld(
                "excluded_segments", f"the data to tell whether the customer is in {name} is missing"
            )
        if known:
            return _withheld("excluded_segments", f"the customer is in {name}")
    eligible = guardrails.eligible_segments
    if eligible and not any(members.get(name) for name in eligible):
        return _withheld("eligible_segments", f"the customer is not in {' or '.join(eligible)}")
    return None


def _channel(guardrails: Guardrails, event: Event) -> Stop | None:
    if not guardrails.channels:
        return None
    channel = event.context.get("channel", event.attributes.get("channel"))
    if channel in guardrails.channels:
        return None
    told = f"the channel is {channel}" if isinstance(channel, str) else "the event names no channel"
    return _withheld("channels", f"{told}, and must be {' or '.join(guardrails.channels)}")


def _scheduled(guardrails: Guardrails, now: datetime) -> Stop | None:
    schedule = guardrails.schedule
    if schedule is None:
        return None
    if schedule.starts_at is not None and now < schedule.starts_at:
        return _withheld("schedule", f"the rule starts at {schedule.starts_at:%Y-%m-%d %H:%M} UTC")
    if schedule.ends_at is not None and now >= schedule.ends_at:
        return _withheld("schedule", f"the rule ended at {schedule.ends_at:%Y-%m-%d %H:%M} UTC")
    local = now.astimezone(ZoneInfo(guardrails.time_zone))
    if on_the_clock(schedule, local):
        return None
    clock = f"it is {_WEEKDAYS[local.weekday()]} {local:%H:%M} in {guardrails.time_zone}"
    return _withheld("schedule", f"{clock}, and the rule does not run then")


def on_the_clock(schedule: Schedule, local: datetime) -> bool:
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


def cost(rule: Rule, guardrails: Guardrails) -> Decimal | None:
    """Return the most that one discount of the rule can cost a budget, None when nothing bounds it."""
    for budget in (guardrails.budget, rule.guardrails.budget):
        if budget is not None and budget.per_discount is not None:
            return budget.per_discount
    return most(rule.action)


def _priced(rule: Rule, guardrails: Guardrails, event: Event) -> Stop | None:
    """Refuse what a budget cannot count: costs without a bound, or in another currency."""
    budget = guardrails.budget
    if budget is None:
        return None
    if cost(rule, guardrails) is None:
        return _withheld("budget", "nothing says what a discount of this rule can cost at most")
    currency = getattr(rule.action, "currency", None) or event.attributes.get("currency")
    if not isinstance(currency, str) or currency.upper() == budget.currency:
        return None
    return _withheld("budget", f"the discount is in {currency}, and the budget counts {budget.currency}")


def _expired(rule: Rule, now: datetime) -> Stop | None:
    ends = expiry(rule, now)
    if ends is None or ends > now:
        return None
    return _withheld("expires_at", f"a discount issued now would have ended at {ends:%Y-%m-%d %H:%M} UTC")


def _rolled_out(rule: Rule, members: Membership) -> Stop | None:
    rollout, source_id = rule.rollout, members.customer.source_id
    if rollout.audience and not any(members.get(name) for name in rollout.audience):
        return _withheld("rollout", f"the rule is rolled out to {' and '.join(rollout.audience)} only")
    if not within(rollout.percent, rule.name, source_id, "percent"):
        return _withheld("rollout", f"the rule is for {rollout.percent:f} % of customers, not for this one")
    if controlled(rollout.control, rule.name, source_id):
        return Stop("control", "rollout", "not issued: the customer is in the control group")
    return None
