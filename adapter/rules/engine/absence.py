"""Rules that fire because something did not happen: what waits, and what ends the wait."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from adapter.model.events import Event
from adapter.model.rules import Absence, Rule
from adapter.model.timers import Cancellation, Timer
from adapter.rules.engine.absence_keys import keyed, name_of
from adapter.rules.history.history import History


class Waits(Struct, frozen=True):
    """What one event does to the customer's timers: first `cancelled`, then `armed`.

    Arming replaces the timer that the customer has under the rule.
    """

    armed: tuple[Timer, ...] = ()
    cancelled: tuple[Cancellation, ...] = ()


class Absences:
    """The absence rules of a book, by the events that start and end their waits."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._starting: dict[str, list[tuple[Rule, Absence]]] = {}
        self._ending: dict[str, list[tuple[Rule, Absence]]] = {}
        for rule in rules:
            if isinstance(rule.trigger, Absence):
                self._starting.setdefault(rule.trigger.event, []).append((rule, rule.trigger))
                self._ending.setdefault(rule.trigger.unless, []).append((rule, rule.trigger))

    def watch(self, event_name: str) -> bool:
        """Tell whether events of this name start or end a wait."""
        return event_name in self._starting or event_name in self._ending

    def waits(self, event: Event, source_id: str, history: History) -> Waits:
        """Return what the event does; `history` is the customer's before it.

        Events may come in any order. What comes late starts no wait when a later event of its name is
        known, or an awaited one at its time or after: whether that one came within the time is unknown
        from the latest one alone, and no wait means no discount.
        """
        armed: list[Timer] = []
        for rule, absence in self._starting.get(event.name, ()):
            later = history.last(absence.event)
            if (later is None or later <= event.occurred_at) and not followed(absence, event, history):
                due_at = event.occurred_at + absence.within
                armed += [
                    Timer(name, source_id, each, due_at) for name, each in _started(rule, absence, event)
                ]
        cancelled = [
            Cancellation(name, source_id, event.occurred_at)
            for rule, absence in self._ending.get(event.name, ())
            for name, _ in _started(rule, absence, event)
        ]
        return Waits(tuple(armed), tuple(cancelled))


def _started(rule: Rule, absence: Absence, event: Event) -> list[tuple[str, Event]]:
    """Return the names of the timers that an event concerns, with the event as each of them sees it."""
    if absence.per is None:
        return [(rule.name, event)]
    return [(name_of(rule.name, slot), each) for slot, each in keyed(event, absence.per).items()]


def followed(absence: Absence, event: Event, history: History) -> bool:
    """Tell whether the awaited event is known at the time of `event` or after.

    An event that waits for the next of its own name is not followed by itself. Of an absence of each key this
    is known of all keys together.
    """
    last = history.last(absence.unless)
    if last is None:
        return False
    return last > event.occurred_at if absence.unless == absence.event else last >= event.occurred_at
