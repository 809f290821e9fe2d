"""Measure lift: conversions of customers with a discount against those of the control group."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.rules.guardrails.contract import CAMPAIGN_COUNTS
from adapter.rules.lift import Conversion, Group, Lift, exposures, lift
from adapter.store.contract import Store
from adapter.store.values import CustomerHistory

_PAGE = 500
_AS_STORED = EventNames()


class LiftQuestion(Struct, frozen=True):
    """Conversions are events named `conversion` within a time of the decision; `worth` is their value's name.

    Without `rule`, all rules and campaigns are measured; `rule` may be `campaign:NAME`.
    """

    conversion: str = "order_completed"
    within: timedelta = timedelta(days=7)
    worth: str = "total"
    rule: str | None = None


class Measurements(Struct, frozen=True):
    """The lift of each rule with customers in a group, by name; and the names of all rules in decisions and
    of all events, independent of the question.
    """

    lifts: list[Lift]
    rules: set[str]
    events: set[str]


async def measure(store: Store, question: LiftQuestion, names: EventNames = _AS_STORED) -> Measurements:
    """Return the result of a question; reads every customer once.

    Stored decisions and events are read, events under their current `names`; purged ones are not counted.
    """
    found: dict[str, Lift] = {}
    rules: set[str] = set()
    events: set[str] = set()
    after = ""
    while histories := await store.customer_histories(after, _PAGE):
        after = histories[-1].source_id
        for history in histories:
            outcomes = [outcome for decision in history.decisions for outcome in decision.outcomes]
            rules.update(outcome.rule for outcome in outcomes)
            rules.update(CAMPAIGN_COUNTS + each.campaign for each in outcomes if each.campaign is not None)
            history.events = [names.renamed(event) for event in history.events]
            events.update(event.name for event in history.events)
        for one in _of(histories, question):
            found.setdefault(one.rule, Lift(one.rule, Group(), Group(), {})).add(one)
    return Measurements([found[rule] for rule in sorted(found)], rules, events)


def _of(histories: list[CustomerHistory], question: LiftQuestion) -> list[Lift]:
    shown = [
        exposure
        for history in histories
        for decision in history.decisions
        for exposure in exposures(decision)
        if question.rule in (None, exposure.rule)
    ]
    return lift(shown, _conversions(histories, question), question.within) if shown else []


def _conversions(histories: list[CustomerHistory], question: LiftQuestion) -> Iterator[Conversion]:
    for history in histories:
        for event in history.events:
            if event.name == question.conversion:
                worth, currency = _value(event, question.worth), event.attributes.get("currency")
                spelled = currency.strip().upper() if isinstance(currency, str) else ""
                yield Conversion(history.source_id, event.occurred_at, worth, spelled, (event.name, event.id))


def _value(event: Event, attribute: str) -> Decimal:
    value: Any = event.attributes.get(attribute)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    return Decimal(0)
