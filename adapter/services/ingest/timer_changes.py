"""The timers of one transaction: stored, started and cancelled ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import product

from msgspec.structs import replace

from adapter.model.timers import Cancellation, Timer
from adapter.rules.engine.absence import Waits
from adapter.services.ingest.identities import IdentityGraph

_Key = tuple[str, str]


class TimerChanges:
    """Tracks the timers through a batch in its order; `room` is the number of timers that may be added.

    `stored` are the stored timers that the batch fires, and those that they are weighed with. `refused`
    counts the timers over the limit by rule, `fired` those that fired.
    """

    def __init__(self, people: IdentityGraph, stored: Iterable[Timer], room: int) -> None:
        self._people = people
        self._followed = 0
        self._stored: dict[_Key, Timer] = {(timer.source_id, timer.rule): timer for timer in stored}
        self._armed: dict[_Key, Timer] = {}
        self._rules: dict[str, set[str]] = defaultdict(set)
        for source_id, rule in self._stored:
            self._rules[source_id].add(rule)
        self._room = room
        self.cancelled: list[Cancellation] = []
        self.refused: Counter[str] = Counter()
        self.fired = 0

    @property
    def armed(self) -> list[Timer]:
        """Return the started timers."""
        self._follow()
        return [replace(timer, source_id=owner) for (owner, _), timer in self._armed.items()]

    def take(self, waits: Waits, *, arming: bool) -> None:
        """Apply the effect of one event on timers; without `arming` it only cancels some."""
        self._follow()
        for cancellation in waits.cancelled:
            self._cancel(cancellation)
        for timer in waits.armed if arming else ():
            if self._room > len(self._armed):
                self._armed[timer.source_id, timer.rule] = timer
                self._rules[timer.source_id].add(timer.rule)
                self._stored.pop((timer.source_id, timer.rule), None)
            else:
                # The customer's old timer must not fire as if this event had not occurred.
                self._cancel(Cancellation(timer.rule, timer.source_id, timer.event.occurred_at))
                self.refused[timer.rule] += 1

    def fire(self, timer: Timer) -> Timer | None:
        """Remove and return the timer if it is still active; None when it was cancelled or restarted.

        This check makes it fire once, even if several processes find it due.
        """
        self._follow()
        owner = self._people.canonical(timer.source_id)
        standing = self._armed.get((owner, timer.rule)) or self._stored.get((owner, timer.rule))
        if standing is None or (standing.event.id, standing.due_at) != (timer.event.id, timer.due_at):
            return None
        self._cancel(Cancellation(timer.rule, owner, standing.event.occurred_at))
        self.fired += 1
        return replace(standing, source_id=owner)

    def beside(self, timer: Timer, rules: Iterable[str]) -> list[Timer]:
        """Return the active timers of the customer under other rules that the same event started."""
        owner = timer.source_id
        found = (self._armed.get((owner, rule)) or self._stored.get((owner, rule)) for rule in rules)
        same = [each for each in found if each is not None and _same_event(each, timer)]
        return [replace(each, source_id=owner) for each in same]

    def defer(self, timers: Iterable[Timer]) -> None:
        """Start fired timers again, due later."""
        for timer in timers:
            self._armed[timer.source_id, timer.rule] = timer
            self._rules[timer.source_id].add(timer.rule)

    def erase(self, owner: str) -> None:
        """Drop the timers of a customer."""
        self._follow()
        for rule in self._rules.pop(owner, ()):
            for timers in (self._armed, self._stored):
                timers.pop((owner, rule), None)

    def _cancel(self, cancellation: Cancellation) -> None:
        key = (cancellation.source_id, cancellation.rule)
        for timers in (self._armed, self._stored):
            timer = timers.get(key)
            if timer is not None and timer.event.occurred_at <= cancellation.at <= timer.due_at:
                del timers[key]
        self.cancelled.append(cancellation)

    def _follow(self) -> None:
        """Move the timers of merged customers to the target customer; of two the later one remains."""
        for source, target in self._people.moved[self._followed :]:
            rules = self._rules.pop(source, set())
            self._rules[target] |= rules
            for timers, rule in product((self._armed, self._stored), rules):
                moved, other = timers.pop((source, rule), None), timers.get((target, rule))
                if moved is not None and (other is None or moved.due_at > other.due_at):
                    timers[target, rule] = moved
        self._followed = len(self._people.moved)


def _same_event(one: Timer, other: Timer) -> bool:
    return (one.event.id, one.event.occurred_at) == (other.event.id, other.event.occurred_at)
