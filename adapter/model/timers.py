"""What waits for something not to happen."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from adapter.model.events import Event


class Timer(Struct, frozen=True):
    """One customer's wait under one rule; there is at most one at a time, and the latest event holds it.

    `event` is what started the wait; when `due_at` comes and nothing has cancelled it, the rule is
    evaluated for that event.
    """

    rule: str
    source_id: str
    event: Event
    due_at: datetime


class Cancellation(Struct, frozen=True):
    """An awaited event came at `at`: a timer of the rule that started no later, and was not due, is over."""

    rule: str
    source_id: str
    at: datetime

    def ends(self, timer: Timer) -> bool:
        """Tell whether the timer is over."""
        same = (self.rule, self.source_id) == (timer.rule, timer.source_id)
        return same and timer.event.occurred_at <= self.at <= timer.due_at
