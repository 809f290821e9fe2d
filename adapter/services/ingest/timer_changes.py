"""The timers of one transaction: those that wait in the store, those armed in it, and those that are over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import product

from msgspec.structs import replace

from adapter.model.timers import Cancellation, Timer
from adapter.rules.engine.absence import Waits
from adapter.services.ingest.identities import IdentityGraph

_Key = tuple[str, str]


class Waiting:
    """Follows timers through a batch in its order; `room` is how many more may wait.

    `stored` are those that the batch means to fire, as the store has them. `refused` counts by rule the
    timers for which there was no room; so many have `fired`.
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
        """Return the timers that wait from now on."""
        self._follow()
        return [replace(timer, source_id=owner) for (owner, _), timer in self._armed.items()]

    def take(self, waits: Waits, *, arming: bool) -> None:
        """Take what one event does to timers; without `arming` it only ends some."""
        self._follow()
        for cancellation in waits.cancelled:
            self._cancel(cancellation)
        for timer in waits.armed if arming else ():
            if self._room > len(self._armed):
                self._armed[timer.source_id, timer.rule] = timer
                self._rules[timer.source_id].add(timer.rule)
                self._stored.pop((timer.source_id, timer.rule), None)
            else:
                # The wait that the customer has must not end as if this event had not come.
                self._cancel(Cancellation(timer.rule, timer.source_id, timer.event.occurred_at))
                self.refused[timer.rule] += 1

    def fire(self, timer: Timer) -> Timer | None:
        """Return the timer if it still stands, and end it; None when it is over or has started anew.

        That it stands is what makes it fire once, whoever else has found it due.
        """
        self._follow()
        owner = self._people.canonical(timer.source_id)
        standing = self._armed.get((owner, timer.rule)) or self._stored.get((owner, timer.rule))
        if standing is None or (standing.event.id, standing.due_at) != (timer.event.id, timer.due_at):
            return None
        self._cancel(Cancellation(timer.rule, owner, standing.event.occurred_at))
        self.fired += 1
        return replace(standing, source_id=owner)

    def erase(self, owner: str) -> None:
        """Forget the timers of a customer."""
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
        """Give the timers of merged customers to whom they lead now; the later due stays."""
        for source, target in self._people.moved[self._followed :]:
            rules = self._rules.pop(source, set())
            self._rules[target] |= rules
            for timers, rule in product((self._armed, self._stored), rules):
                moved, other = timers.pop((source, rule), None), timers.get((target, rule))
                if moved is not None and (other is None or moved.due_at > other.due_at):
                    timers[target, rule] = moved
        self._followed = len(self._people.moved)
