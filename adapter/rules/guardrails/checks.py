"""Guardrails that need no counter: status, segments, channels, schedule, rollout.

What a rule says of them becomes a list of checks once, when the rule is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import Struct

from adapter.model.decisions import Outcome
from adapter.model.events import Event
from adapter.model.rules import Guardrails, Rollout, Rule, Schedule
from adapter.rules.action_types.registry import type_of
from adapter.rules.guardrails.rollout import controlled, within
from adapter.rules.guardrails.segments import Membership
from adapter.rules.guardrails.validity import expiry
from adapter.rules.guardrails.valuation import most

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Rejection(Struct, frozen=True):
    """Why a rule whose conditions hold issues nothing, before any counter is looked at."""

    outcome: Outcome
    guardrail: str
    reason: str


Check = Callable[[Event, Membership, datetime], Rejection | None]
_ALMOST_NOW = timedelta(seconds=1)


def _withheld(guardrail: str, reason: str) -> Rejection:
    return Rejection("withheld", guardrail, f"not issued: {reason}")


def checks(rule: Rule, shop: Guardrails, *, paused: bool = False) -> tuple[Check, ...]:
    """Return what can stop a rule, in the order in which it is asked; what never can is left out.

    `shop` are the guardrails over all rules; `paused` stops all of them.
    """
    if paused:
        return (_always(_withheld("global.paused", "all rules are paused")),)
    found = _guarding(rule, shop, "global.")
    if rule.status == "paused":
        return (*found, _always(_withheld("status", "the rule is paused")))
    found += _guarding(rule, rule.guardrails, "")
    if _may_be_over(rule):
        found.append(partial(_expired, rule))
    if rule.rollout != Rollout():
        found.append(partial(_rolled_out, rule))
    if rule.status == "shadow":
        found.append(_always(Rejection("shadow", "status", "would be issued, but the rule is a shadow")))
    return tuple(found)


def _always(stop: Rejection) -> Check:
    return lambda event, members, now: stop


def _guarding(rule: Rule, guardrails: Guardrails, label: str) -> list[Check]:
    """Return the checks of a block; `label` goes before the guardrails' names."""
    found: list[Check] = []
    if guardrails.excluded_segments or guardrails.eligible_segments:
        found.append(partial(_segments, guardrails, label))
    if guardrails.channels:
        found.append(partial(_channel, guardrails, label))
    if guardrails.schedule is not None:
        zone = ZoneInfo(guardrails.time_zone)
        found.append(partial(_scheduled, guardrails.schedule, zone, label))
    if guardrails.budget is not None:
        found.append(_pricing(rule, guardrails, guardrails.budget.currency, label + "budget"))
    return found


def _segments(
    guardrails: Guardrails, label: str, event: Event, members: Membership, now: datetime
) -> Rejection | None:
    for name in guardrails.excluded_segments:
        known = members.get(name)
        if known is False:
            continue
        missing = f"the data to tell whether the customer is in {name} is missing"
        return _withheld(label + "excluded_segments", f"the customer is in {name}" if known else missing)
    eligible = guardrails.eligible_segments
    if eligible and not any(members.get(name) for name in eligible):
        return _withheld(label + "eligible_segments", f"the customer is not in {' or '.join(eligible)}")
    return None


def _channel(
    guardrails: Guardrails, label: str, event: Event, members: Membership, now: datetime
) -> Rejection | None:
    channel = event.context.get("channel", event.attributes.get("channel"))
    if channel in guardrails.channels:
        return None
    told = f"the channel is {channel}" if isinstance(channel, str) else "the event names no channel"
    return _withheld(label + "channels", f"{told}, and must be {' or '.join(guardrails.channels)}")


def _scheduled(  # noqa: PLR0917 - the first three are known when the rule is loaded
    schedule: Schedule, zone: ZoneInfo, label: str, event: Event, members: Membership, now: datetime
) -> Rejection | None:
    if schedule.starts_at is not None and now < schedule.starts_at:
        return _withheld(label + "schedule", f"the rule starts at {schedule.starts_at:%Y-%m-%d %H:%M} UTC")
    if schedule.ends_at is not None and now >= schedule.ends_at:
        return _withheld(label + "schedule", f"the rule ended at {schedule.ends_at:%Y-%m-%d %H:%M} UTC")
    local = now.astimezone(zone)
    if on_the_clock(schedule, local):
        return None
    clock = f"it is {_WEEKDAYS[local.weekday()]} {local:%H:%M} in {zone.key}"
    return _withheld(label + "schedule", f"{clock}, and the rule does not run then")


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
    """Return the most that one discount of the rule can cost a budget, None when nothing bounds it.

    Where several say it, the greatest counts: no budget makes a discount cheaper than its rule says it is.
    """
    said = [each.budget.per_discount for each in (guardrails, rule.guardrails) if each.budget is not None]
    return max((each for each in (*said, most(rule.action)) if each is not None), default=None)


def _pricing(rule: Rule, guardrails: Guardrails, counted: str, guardrail: str) -> Check:
    """Refuse what a budget cannot count: costs without a bound, or in another currency."""
    if cost(rule, guardrails) is None:
        return _always(_withheld(guardrail, "nothing says what a discount of this rule can cost at most"))
    paid = getattr(rule.action, "currency", None)

    def check(event: Event, members: Membership, now: datetime) -> Rejection | None:
        currency = paid or event.attributes.get("currency")
        currency = currency.strip() if isinstance(currency, str) else ""
        if not currency or currency.upper() == counted:
            return None
        return _withheld(guardrail, f"the discount is in {currency}, and the budget counts {counted}")

    return check


def _may_be_over(rule: Rule) -> bool:
    """Tell whether a discount can have ended when it is issued: one that lasts from then on cannot."""
    lengths = (rule.expires_in, rule.guardrails.validity_window)
    dated = rule.expires_at or type_of(rule.action).ends(rule.action)
    return dated is not None or any(length is not None and length < _ALMOST_NOW for length in lengths)


def _expired(rule: Rule, event: Event, members: Membership, now: datetime) -> Rejection | None:
    ends = expiry(rule, now)
    if ends is None or ends > now:
        return None
    return _withheld("expires_at", f"a discount issued now would have ended at {ends:%Y-%m-%d %H:%M} UTC")


def _rolled_out(rule: Rule, event: Event, members: Membership, now: datetime) -> Rejection | None:
    rollout, source_id = rule.rollout, members.customer.source_id
    if rollout.audience and not any(members.get(name) for name in rollout.audience):
        return _withheld("rollout", f"the rule is rolled out to {' and '.join(rollout.audience)} only")
    if not within(rollout.percent, rule.name, source_id, "percent"):
        return _withheld("rollout", f"the rule is for {rollout.percent:f} % of customers, not for this one")
    if controlled(rollout.control, rule.name, source_id):
        return Rejection("control", "rollout", "not issued: the customer is in the control group")
    return None
