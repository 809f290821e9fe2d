"""Histories read again out of stored events: what a new rule needs, and what was another customer's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from adapter.model.events import Event
from adapter.rules.history.history import MOST_NAMES, History, fold, lacking, opened
from adapter.rules.history.requirements import Metrics


class Completion:
    """What a stored history lacks for some metrics, read out of the stored events, some at a time."""

    def __init__(self, history: History, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lacking = {
            name: needs for name, needs in metrics.events.items() if lacking(history, name, metrics)
        }
        self._again = History()

    def take(self, events: Iterable[Event]) -> None:
        """Read events, in any order."""
        for event in events:
            if event.name in self._lacking:
                fold(self._again, event, self._metrics)

    def give(self, history: History) -> None:
        """Add what was lacking; what the history has is kept: it may know events that are stored no more."""
        for name, needs in self._lacking.items():
            known, read = history.tallies.get(name), self._again.tallies.get(name)
            if known is None:
                if read is not None:
                    history.tallies[name] = read
                continue
            full = read or opened(known.first, needs)
            known.series = {**known.series, **full.series}
            known.figures = {**known.figures, **full.figures}
        for name, derived in self._metrics.derived.items():
            known_derived = history.derived.get(name)
            if derived.event in self._lacking and not derived.kept_by(known_derived):
                history.derived[name] = self._again.derived.get(name) or derived.opened()
        for name, sequence in self._metrics.sequences.items():
            if name not in history.sequences and not self._lacking.keys().isdisjoint(sequence.steps):
                history.sequences[name] = self._again.sequences.get(name) or sequence.opened()
        history.crowded = history.crowded and len(history.tallies) >= MOST_NAMES
        history.metrics = self._metrics.digest


def backfill(history: History, events: Iterable[Event], metrics: Metrics) -> None:
    """Add what a stored history lacks for these metrics, out of the customer's stored events.

    `events` are all of the customer's that are stored, in any order, without the one being decided.
    """
    completion = Completion(history, metrics)
    completion.take(events)
    completion.give(history)


def recount(history: History, kept: Sequence[Event], lost: Sequence[Event], metrics: Metrics) -> None:
    """Take out events that turn out to be another customer's too; the two lists hold all stored events.

    Events that were stored once and are no more keep their count and first moment; other figures become
    those of a rule that is added now.
    """
    for name, gone in Counter(event.name for event in lost).items():
        known = history.tallies.pop(name, None)
        for derived in metrics.derived_of.get(name, ()):
            history.derived.pop(derived, None)
        stored = [event for event in kept if event.name == name]
        forgotten = 0 if known is None else known.count - gone - len(stored)
        again = History()
        for event in stored:
            fold(again, event, metrics)
        if known is None or not (stored or forgotten > 0):
            continue
        tally = history.tallies[name] = again.tallies.get(name) or opened(
            known.last, metrics.events.get(name)
        )
        for derived in metrics.derived_of.get(name, ()):
            history.derived[derived] = again.derived.get(derived) or metrics.derived[derived].opened()
        if forgotten > 0:
            tally.count += forgotten
            tally.first = min(tally.first, known.first)
    _order_again(history, kept, {event.name for event in lost}, metrics)


def _order_again(history: History, kept: Iterable[Event], lost: set[str], metrics: Metrics) -> None:
    """Read the sequences again of which events are lost; only stored events are known to them then."""
    again = {name for event in lost for name in metrics.sequences_of.get(event, ())}
    for name in again & history.sequences.keys():
        steps, read = metrics.sequences[name].steps, History()
        for event in kept:
            if event.name in steps:
                fold(read, event, metrics)
        history.sequences[name] = read.sequences.get(name) or metrics.sequences[name].opened()
