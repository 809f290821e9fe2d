"""Rules that fire on a schedule over customers: which customers an occurrence concerns, and what they get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.dates import date_of, month_days, trait_at
from adapter.model.events import Event, User
from adapter.model.rules import Rule
from adapter.model.triggers import DATE_DUE, SCHEDULE_DUE, Every, Firing, OnDate, Scheduled
from adapter.rules.engine.evaluate import CompiledRule, TriggerIndex, view_of
from adapter.rules.engine.occurrences import local_day
from adapter.rules.expressions import Node, reads
from adapter.rules.guardrails.membership import Segments
from adapter.rules.history.history import History


class ScheduledRule(Struct, frozen=True):
    """A rule that fires on a schedule."""

    rule: Rule
    trigger: Scheduled
    index: TriggerIndex


class Schedules:
    """The scheduled rules of a book; false where there are none. `traits` are those whose dates are due."""

    def __init__(self, rules: Sequence[tuple[CompiledRule, Node]], segments: Segments) -> None:
        self._segments = segments
        self.by_name: Mapping[str, ScheduledRule] = {
            ready.rule.name: ScheduledRule(ready.rule, ready.rule.trigger, TriggerIndex([ready], [node]))
            for ready, node in rules
            if isinstance(ready.rule.trigger, Scheduled)
        }
        triggers = [each.trigger for each in self.by_name.values()]
        self.traits = tuple(sorted({each.trait for each in triggers if isinstance(each, OnDate)}))

    def __bool__(self) -> bool:
        """Tell whether a rule is scheduled."""
        return bool(self.by_name)

    def event(self, firing: Firing, customer: Customer) -> Event | None:
        """Return what an occurrence is for a customer; None where their date is another one."""
        found = self.by_name.get(firing.rule)
        if found is None:
            return None
        trigger, due_at = found.trigger, firing.due_at
        values: dict[str, Any] | None = {"due_at": due_at.isoformat()}
        if isinstance(trigger, OnDate):
            values = _reaching(trigger, due_at)(customer)
        if values is None:
            return None
        name = DATE_DUE if isinstance(trigger, OnDate) else SCHEDULE_DUE
        user = User(id=customer.source_id, email=customer.email)
        return Event(event_id(firing), name, due_at, user, values, {})

    def concerned(self, name: str, due_at: datetime, now: datetime) -> Callable[[Customer], bool]:
        """Return what tells of customers whether an occurrence of a rule may concern them.

        It is asked of every customer, so what is the same for all is worked out once.
        """
        trigger = self.by_name[name].trigger
        if isinstance(trigger, OnDate):
            reached = _reaching(trigger, due_at)
            return lambda customer: reached(customer) is not None
        segments, segment = self._segments, trigger.segment
        declared = None if segment is None else segments.declared.get(segment)
        node = None if declared is None else declared.node
        if segment is None or (node is not None and reads(node).metrics):
            return lambda customer: True
        event = Event("", SCHEDULE_DUE, due_at, User(), {"due_at": due_at.isoformat()}, {})
        history = History()

        def concerns(customer: Customer) -> bool:
            if segments.listed(segment, customer, event):
                return True
            return node is not None and segments.holds(segment, view_of(event, customer, history, now))

        return concerns

    def concerns(self, rule: str, event: Event, customer: Customer, history: History, now: datetime) -> bool:
        """Tell whether an occurrence of a rule, which is this event for a customer, concerns them."""
        trigger = self.by_name[rule].trigger
        if not isinstance(trigger, Every) or trigger.segment is None:
            return True
        view = view_of(event, customer, history, now)
        return self._segments.of(customer, view, event).get(trigger.segment) is True


def event_id(firing: Firing) -> str:
    """Return the id of a firing, which follows from the rule, the customer and the due time."""
    return (
        occurrence(firing)
        + blake2b(firing.source_id.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    )


def occurrence(firing: Firing) -> str:
    """Return what the ids of all firings of one occurrence begin with."""
    return f"{firing.rule}@{firing.due_at:%Y-%m-%dT%H:%M:%SZ}:"


def dates_of(trigger: OnDate, due_at: datetime) -> tuple[date, tuple[int, ...]]:
    """Return the date that an occurrence is for, and the days of the year of customers who have it then."""
    day = local_day(trigger, due_at) - timedelta(days=trigger.days)
    return day, month_days(day) if trigger.yearly else (day.month * 100 + day.day,)


def _reaching(trigger: OnDate, due_at: datetime) -> Callable[[Customer], dict[str, Any] | None]:
    """Return what gives the attributes of a date that is due, None where a customer's is another one."""
    day, days = dates_of(trigger, due_at)

    def reached(customer: Customer) -> dict[str, Any] | None:
        found = date_of(trait_at(customer, trigger.trait))
        if found is None or found.month_day not in days:
            return None
        values: dict[str, Any] = {"due_at": due_at.isoformat(), "date": day.isoformat()}
        if found.year is None:
            return values if trigger.yearly else None
        years = day.year - found.year
        if years < 1 if trigger.yearly else years != 0:
            return None
        return {**values, "years": years}

    return reached
