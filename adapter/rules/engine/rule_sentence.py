"""A rule in one sentence: when, under which conditions, what is given, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from adapter.model.rules import Absence, Rule
from adapter.model.triggers import DiscountLife, Every, OnDate, SegmentChange, TraitChange
from adapter.rules.action_types.registry import describe
from adapter.rules.engine.conditions import conditions_of
from adapter.rules.expressions import All, Node, text
from adapter.rules.expressions.durations import window_text

_RECURRENCES = {
    "day": "Every day", "week": "Every week", "month": "Every month", "quarter": "Every quarter",
    "month_weekday": "Every month, on its weekday,", "year": "Every year",
}  # fmt: skip


def rule_sentence(rule: Rule, node: Node) -> str:
    """Return a rule as a sentence; `node` are its conditions."""
    conditions = [] if node == All(()) else [text(each) for each in conditions_of(node)]
    where = f", if {' and '.join(conditions)}" if conditions else ""
    return f"{_when(rule)}{where}: {_given(rule)}{_until(rule)}{_beside(rule)}."


def _when(rule: Rule) -> str:
    match rule.trigger:
        case _ if rule.code is not None:
            return f"When a customer enters {rule.code} at the checkout"
        case tuple(events):
            return f"When {_either(events)} happens"
        case Absence(event, unless, within, per):
            each = f", for each {per}" if per else ""
            return f"When {unless} does not follow {event} within {window_text(within)}{each}"
        case TraitChange(trait=trait, to=to, before=before):
            came = "" if before is UNSET else f" from {before}"
            return f"When {trait} changes{came}" + ("" if to is UNSET else f" to {to}")
        case SegmentChange(segment=segment, entered=entered):
            return f"When a customer {'enters' if entered else 'leaves'} the segment {segment}"
        case Every() as every:
            whom = f" of the segment {every.segment}" if every.segment else ""
            at = f"at {every.at:%H:%M} ({every.time_zone})"
            return f"{_RECURRENCES[every.recurrence]} {at}, for each customer{whom}"
        case OnDate() as date:
            return f"At {date.at:%H:%M} ({date.time_zone}), {_days(date.days)} the date in {date.trait}"
        case DiscountLife() as life:
            return f"When a discount{_of(life.of)} {_aged(life)}"
    raise TypeError(rule.trigger)


def _either(names: Sequence[str]) -> str:
    return " or ".join(names)


def _days(days: int) -> str:
    return "on" if not days else f"{abs(days)} days {'after' if days > 0 else 'before'}"


def _of(rules: Sequence[str]) -> str:
    return f" of {_either(rules)}" if rules else ""


def _aged(life: DiscountLife) -> str:
    if life.unused_for is not None:
        return f"is unused for {window_text(life.unused_for)}"
    return "is about to expire" if life.expires_in is None else f"expires in {window_text(life.expires_in)}"


def _given(rule: Rule) -> str:
    if rule.care is not None:
        longer = rule.care.extend_by
        return "send a reminder" if longer is None else f"extend it by {window_text(longer)}"
    given = " and ".join(map(describe, rule.actions))
    if rule.variants:
        given = f"one of {len(rule.variants)} variants, the first being {given}"
    return given if rule.to is None else f"{given}, for the customer at {rule.to}"


def _until(rule: Rule) -> str:
    if rule.care is not None:
        return ""
    if rule.expires_in is not None:
        return f", valid for {window_text(rule.expires_in)}"
    return "" if rule.expires_at is None else f", valid until {rule.expires_at:%Y-%m-%d %H:%M} UTC"


def _beside(rule: Rule) -> str:
    """Return what becomes of the customer's other discounts, where that is more than a conflict."""
    beside = ", whatever other discounts there are" if rule.conflicts == "none" else ""
    return f"{beside}, and no other discount until it is used" if rule.holds_back else beside
