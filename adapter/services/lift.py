"""What rules changed: conversions of those who got a discount against those held out, out of the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.rules.lift import Conversion, Group, Lift, exposures, lift
from adapter.store.contract import Store
from adapter.store.values import CustomerHistory

_PAGE = 500
_AS_STORED = EventNames()


class LiftQuestion(Struct, frozen=True):
    """What counts: events named `conversion` within a time of the decision, worth their attribute `worth`.

    Without `rule`, every rule is answered for.
    """

    conversion: str = "order_completed"
    within: timedelta = timedelta(days=7)
    worth: str = "total"
    rule: str | None = None


class Measured(Struct, frozen=True):
    """The lift of each rule that served or held out anybody, by name; and all rules that decisions name and
    all events that were sent, whatever was asked.
    """

    lifts: list[Lift]
    rules: set[str]
    events: set[str]


async def measure(store: Store, question: LiftQuestion, names: EventNames = _AS_STORED) -> Measured:
    """Return what the store knows of a question; reads every customer once.

    A customer's decisions and events are read as they are stored, events under their current `names`: what
    was dropped by age is not counted.
    """
    found: dict[str, Lift] = {}
    rules: set[str] = set()
    events: set[str] = set()
    after = ""
    while pasts := await store.customer_histories(after, _PAGE):
        after = pasts[-1].source_id
        for past in pasts:
            rules.update(outcome.rule for decision in past.decisions for outcome in decision.outcomes)
            past.events = [names.renamed(event) for event in past.events]
            events.update(event.name for event in past.events)
        for one in _of(pasts, question):
            known = found.setdefault(one.rule, Lift(one.rule, Group(), Group()))
            _add(known.issued, one.issued)
            _add(known.control, one.control)
    return Measured([found[rule] for rule in sorted(found)], rules, events)


def _of(pasts: list[CustomerHistory], question: LiftQuestion) -> list[Lift]:
    shown = [
        exposure
        for past in pasts
        for decision in past.decisions
        for exposure in exposures(decision)
        if question.rule in (None, exposure.rule)
    ]
    return lift(shown, _conversions(pasts, question), question.within) if shown else []


def _conversions(pasts: list[CustomerHistory], question: LiftQuestion) -> Iterator[Conversion]:
    for past in pasts:
        for event in past.events:
            if event.name == question.conversion:
                yield Conversion(past.source_id, event.occurred_at, _worth(event, question.worth))


def _worth(event: Event, attribute: str) -> Decimal:
    value: Any = event.attributes.get(attribute)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Decimal(str(value))
    return Decimal(0)


def _add(arm: Group, more: Group) -> None:
    arm.customers += more.customers
    arm.converted += more.converted
    arm.worth += more.worth
