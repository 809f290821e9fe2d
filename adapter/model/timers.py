"""Timers of rules that fire if an event does not occur."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from adapter.model.events import Event


class Timer(Struct, frozen=True):
    """The timer of one customer and one rule; there is at most one, started by the latest event.

    `event` started the timer; the rule is evaluated for it at `due_at`, unless the timer was cancelled.
    """

    rule: str
    source_id: str
    event: Event
    due_at: datetime


class Cancellation(Struct, frozen=True):
    """An awaited event at `at`: it cancels a timer of the rule that started by then and was not due."""

    rule: str
    source_id: str
    at: datetime

    def ends(self, timer: Timer) -> bool:
        """Return whether this cancels the timer."""
        same = (self.rule, self.source_id) == (timer.rule, timer.source_id)
        return same and timer.event.occurred_at <= self.at <= timer.due_at
