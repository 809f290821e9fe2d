"""Rules that the life of a discount triggers: unused for some time, or about to expire.

A timer of the rule and the code begins when the discount is issued. When it is due, the discount is looked at
as it is then: one that was used, revoked or has expired fires nothing, and one whose end was moved waits on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from adapter.model.discounts import DiscountRecord
from adapter.model.events import Event, User
from adapter.model.rules import Rule
from adapter.model.timers import Timer
from adapter.model.triggers import DiscountLife
from adapter.rules.engine.evaluate import CompiledRule, TriggerIndex
from adapter.rules.expressions import Node

#: Between the name of a rule and a code, in the name of a timer; no name of a rule has it.
_SEPARATOR = "/"


class Life(Struct, frozen=True):
    """A rule that the life of a discount triggers."""

    rule: Rule
    trigger: DiscountLife
    index: TriggerIndex


class Lives:
    """The rules of a book that lives of discounts trigger; false where there are none."""

    def __init__(self, rules: Sequence[tuple[CompiledRule, Node]]) -> None:
        self.by_name: Mapping[str, Life] = {
            ready.rule.name: Life(ready.rule, ready.rule.trigger, TriggerIndex([ready], [node]))
            for ready, node in rules
            if isinstance(ready.rule.trigger, DiscountLife)
        }

    def __bool__(self) -> bool:
        """Tell whether the life of a discount triggers a rule."""
        return bool(self.by_name)

    def timers(self, held: DiscountRecord) -> list[Timer]:
        """Return the timers that begin when a discount is issued."""
        found = [
            (life, due)
            for life in self.by_name.values()
            if self._concerns(life, held) and (due := due_at(life.trigger, held)) is not None
        ]
        return [_timer(life, held, due) for life, due in found if due > held.issued_at]

    def of(self, timer: Timer) -> Life | None:
        """Return the rule of a timer, None where it is no timer of a discount, or the rule is no more."""
        name, separator, _ = timer.rule.partition(_SEPARATOR)
        return self.by_name.get(name) if separator else None

    def again(self, life: Life, held: DiscountRecord, now: datetime) -> Timer | None:
        """Return the timer that follows one that is due, where the end of the discount was moved."""
        due = due_at(life.trigger, held)
        return _timer(life, held, due) if due is not None and due > now else None

    def _concerns(self, life: Life, held: DiscountRecord) -> bool:
        of = life.trigger.of
        return held.rule in of if of else held.rule not in self.by_name


def code_of(timer: Timer) -> str | None:
    """Return the code of a timer of a discount, None of another timer."""
    _, separator, code = timer.rule.partition(_SEPARATOR)
    return code if separator else None


def due_at(trigger: DiscountLife, held: DiscountRecord) -> datetime | None:
    """Return when the life of a discount triggers a rule, None where it never does."""
    if trigger.unused_for is not None:
        return held.issued_at + trigger.unused_for
    ends, before = held.discount.expires_at, trigger.expires_in
    return None if ends is None or before is None else ends - before


def lives(trigger: DiscountLife, held: DiscountRecord, now: datetime) -> bool:
    """Tell whether a discount can be used, and has the status that a trigger waits for."""
    status = held.status_at(now)
    wanted = ("issued", "applied") if trigger.status == "any" else (trigger.status,)
    return status in wanted and not (trigger.unused_for is not None and held.discount.begun)


def event_of(life: Life, held: DiscountRecord, due: datetime) -> Event:
    """Return the life of a discount as the event that conditions see."""
    ends = held.discount.expires_at
    values = {
        "code": held.discount.code,
        "rule": held.rule,
        "status": held.discount.status,
        "issued_at": held.issued_at.isoformat(),
        **({} if ends is None else {"expires_at": ends.isoformat()}),
    }
    context = {"environment": "development"} if held.is_development else {}
    event_id = f"{life.rule.name}@{held.discount.code}:{due:%Y-%m-%dT%H:%M:%SZ}"
    return Event(event_id, life.trigger.event, held.issued_at, User(id=held.source_id), values, context)


def _timer(life: Life, held: DiscountRecord, due: datetime) -> Timer:
    slot = f"{life.rule.name}{_SEPARATOR}{held.discount.code}"
    return Timer(slot, held.source_id, event_of(life, held, due), due)
