"""`one_of_these`: a customer gets one discount of a campaign, for each event, in a window, or for ever.

It is written in the campaign, not in its `guardrails`, and counted like one of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from adapter.model.counter_key import decode
from adapter.model.discounts import CounterReservation
from adapter.model.events import Event
from adapter.model.ids import KEYED
from adapter.model.rules import Guardrails
from adapter.rules.expressions.durations import window_text
from adapter.rules.guardrails.contract import CountedBlock, Guardrail, Keyed, Personal, ReserveFor
from adapter.rules.guardrails.full_counters import giver, holder
from adapter.rules.guardrails.limits import scope
from adapter.rules.guardrails.membership import Membership
from adapter.rules.guardrails.pause import Pause

NAME = "one_of_these"
#: Part of the keys of its counters, and of the scopes of events.
_PART, _EVENT = "one", "event"


def one_of_these(guardrails: Guardrails) -> Any:
    """Return what the campaign of these guardrails says; None where it says nothing."""
    return guardrails.more.get(NAME)


def _reserve(counted: CountedBlock) -> Personal | None:
    said = one_of_these(counted.guardrails)
    if isinstance(said, timedelta):
        pause = Pause(counted, NAME, (_PART,), said)
        return lambda day: pause.reserve
    return _once(counted) if said == "for ever" else None


def _reserve_keyed(counted: CountedBlock) -> Iterator[Keyed]:
    said = one_of_these(counted.guardrails)
    if said == "per event" or isinstance(said, timedelta):  # an absence may be due after the window
        yield Keyed(_of_event, _once(counted))


def _once(counted: CountedBlock) -> Personal:
    label = counted.label(NAME)

    def of_day(day: date) -> ReserveFor:
        key = counted.key(_PART, "total")
        return lambda of, second: (CounterReservation(of, key, 1, 1, label),)

    return of_day


def _of_event(event: Event, members: Membership, secret: bytes) -> Sequence[str]:
    """Return the scope of an event: of its name, its id, and who acted as it was received."""
    user = event.user
    who = user.id or user.anonymous_id or members.customer.source_id
    return [scope(_EVENT, f"{who}\0{event.name}\0{event.id}", secret)]


def _full(claim: CounterReservation, used: int) -> str:
    _, parts = decode(claim.key)
    if claim.scope.startswith(f"{KEYED}{_EVENT}:"):
        return f"{giver(claim)} has given one of its discounts for this event"
    had = f"{giver(claim)} has given {holder(claim)} one of its discounts"
    return (
        had
        if parts[-1] == "total"
        else f"{had} less than {window_text(timedelta(seconds=int(parts[1])))} ago"
    )


GUARDRAIL = Guardrail(
    names=(NAME,),
    keys={},
    parse=lambda block, action: {},
    reserve_personal=_reserve,
    reserve_keyed=_reserve_keyed,
    full=_full,
)
