"""A customer's past, folded: what rules may ask of it, at a cost that does not grow with it.

Always kept: how many events of each name, the first and the last of each. For what some rule reads, also
running totals by time bucket (`series.py`): a window of up to 3 hours is counted in minutes, up to 8 days
in hours, up to 400 days in days (UTC), longer in weeks. A window reaches back to the start of the bucket in
which it begins: `"30d"` at 15:00 counts from 00:00 UTC thirty days ago. An event dated after `now` counts as
if it were now. Events may come late and in any order; only those late by more than the window are lost to it.

Rules see the history before the event that is being decided.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import msgspec
from msgspec import Struct

from adapter.model.event_names import EventNames
from adapter.model.events import Event
from adapter.rules.expressions import Metric
from adapter.rules.history.aggregates import Figures, value_key
from adapter.rules.history.derived import Derived, derived_name
from adapter.rules.history.needs import EventNeeds, values_at
from adapter.rules.history.requirements import LONGEST_STREAK, Metrics
from adapter.rules.history.sequences import Occurrences, needs_of, sequence_name, steps_of
from adapter.rules.history.time_buckets import MICRO, Series, covers, merged, serving

#: Event names that no rule reads, per customer; further ones are not counted until a rule asks for them.
MOST_NAMES = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EventStats(Struct, array_like=True):
    """What is kept of one event name; moments are microseconds since 1970."""

    count: int
    first: int
    last: int
    series: dict[int, Series] = {}
    figures: dict[str, Figures] = {}


class History(Struct, array_like=True):
    """The folded past of one customer.

    `metrics` is the digest of what it was folded for. `crowded` says that some event names were not kept.
    `names` is the digest of the names that its events were last brought under (`rename`); a program that
    knows nothing of it writes it down no more, and so the names that such a program added are found.
    `derived` has by name what is worked out of events, and is left out by such a program likewise. So is
    `sequences`, what is kept of events in order.
    """

    tallies: dict[str, EventStats] = {}
    metrics: str = ""
    crowded: bool = False
    names: str = ""
    derived: dict[str, Derived] = {}
    sequences: dict[str, Occurrences] = {}

    @classmethod
    def decode(cls, stored: bytes) -> History:
        """Return the history that `encode` wrote; b"" is an empty one."""
        return _decoder.decode(stored) if stored else cls()

    def encode(self) -> bytes:
        """Return it as compact bytes; b"" when there is nothing in it."""
        return _encoder.encode(self) if self.tallies else b""

    def last(self, name: str) -> datetime | None:
        """Return when the latest event of a name occurred."""
        tally = self.tallies.get(name)
        return None if tally is None else _moment(tally.last)

    def merge(self, other: History) -> History:
        """Return the history of two customers who turn out to be one.

        Where only one of the two kept what a rule reads, it is left out, so that `lacks` tells of it.
        """
        tallies = {**self.tallies, **other.tallies}
        for name in self.tallies.keys() & other.tallies.keys():
            tallies[name] = _joined(self.tallies[name], other.tallies[name])
        digests = {each.metrics for each in (self, other) if each.tallies}
        digest = digests.pop() if len(digests) == 1 else ""
        names = self.names if self.names == other.names else ""
        crowded = self.crowded or other.crowded
        return History(
            tallies, digest, crowded, names, self._derived_with(other), self._sequences_with(other)
        )

    def _derived_with(self, other: History) -> dict[str, Derived]:
        """Return what is worked out of the events of both; what is known of one's alone is left out."""
        derived: dict[str, Derived] = {}
        for name in self.derived.keys() | other.derived.keys():
            one, two = self.derived.get(name), other.derived.get(name)
            event = name.split(" ", 1)[0]
            if one is not None and two is not None:
                derived[name] = one.joined(two)
            elif one is not None and event not in other.tallies:
                derived[name] = one
            elif two is not None and event not in self.tallies:
                derived[name] = two
        return derived

    def _sequences_with(self, other: History) -> dict[str, Occurrences]:
        """Return what is kept of the order of both's events; what is known of one's alone is left out."""
        sequences: dict[str, Occurrences] = {}
        for name in self.sequences.keys() | other.sequences.keys():
            one, two, steps = self.sequences.get(name), other.sequences.get(name), steps_of(name)
            if one is not None and two is not None:
                sequences[name] = needs_of(steps).joined(one, two)
            elif one is not None and other.tallies.keys().isdisjoint(steps):
                sequences[name] = one
            elif two is not None and self.tallies.keys().isdisjoint(steps):
                sequences[name] = two
        return sequences

    def rename(self, names: EventNames) -> bool:
        """Bring what is kept of events under their current names; return whether that changed any.

        Of two names that are one now, what only one kept is left out, so that `lacks` tells of it.
        """
        self.names = names.digest
        moved = [(name, current) for name in self.tallies if (current := names.current(name)) != name]
        for name, current in moved:
            tally, known = self.tallies.pop(name), self.tallies.get(current)
            self.tallies[current] = tally if known is None else _joined(tally, known)
        if moved:
            self.metrics = ""
            self.derived, self.sequences = {}, {}
        return bool(moved)

    def rewritten(self, change: Callable[[str], str]) -> History:
        """Return the history with texts and whole numbers among its distinct values changed."""
        for tally in self.tallies.values():
            for figures in tally.figures.values():
                figures.rewrite(change)
        for derived in self.derived.values():
            derived.rewrite(change)
        return self

    def lacks(self, metrics: Metrics) -> bool:
        """Tell whether stored events must be read again (`backfill`) before these metrics can be asked."""
        if (
            self.metrics == metrics.digest
            and self.derived.keys() >= metrics.derived.keys()
            and self.sequences.keys() >= metrics.sequences.keys()
        ):
            return False
        return any(lacking(self, name, metrics) for name in metrics.events)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(History)


def fold(history: History, event: Event, metrics: Metrics) -> None:
    """Take one event into the history."""
    moment = _micro(event.occurred_at)
    needs = metrics.events.get(event.name)
    tally = history.tallies.get(event.name)
    if tally is None:
        if not history.tallies:
            history.metrics = metrics.digest
        if needs is None and len(history.tallies) >= MOST_NAMES:
            history.crowded = True
            return
        for name in metrics.sequences_of.get(event.name, ()):
            if history.tallies.keys().isdisjoint(metrics.sequences[name].steps):
                history.sequences[name] = metrics.sequences[name].opened()
        tally = history.tallies[event.name] = opened(moment, needs)
        for name in metrics.derived_of.get(event.name, ()):
            history.derived[name] = metrics.derived[name].opened()
    tally.count += 1
    tally.first = min(tally.first, moment)
    tally.last = max(tally.last, moment)
    if tally.series or tally.figures:
        _tell(tally, moment // 1_000_000, event)
    if history.derived:
        _derive(history, moment, event, metrics)
    if history.sequences:
        _order(history, moment, event, metrics)


def _derive(history: History, moment: int, event: Event, metrics: Metrics) -> None:
    """Take an event into what is worked out of events; what no rule reads any more cannot be, and goes."""
    for name in history.derived.keys() - metrics.derived.keys():
        del history.derived[name]
    for name in metrics.derived_of.get(event.name, ()):
        if (derived := history.derived.get(name)) is not None:
            metrics.derived[name].add(derived, moment, event)


def _order(history: History, moment: int, event: Event, metrics: Metrics) -> None:
    """Take an event into its sequences; those that no rule reads any more go."""
    for name in history.sequences.keys() - metrics.sequences.keys():
        del history.sequences[name]
    for name in metrics.sequences_of.get(event.name, ()):
        if (kept := history.sequences.get(name)) is not None:
            metrics.sequences[name].add(kept, moment, event.name)


def with_event(history: History, event: Event, metrics: Metrics) -> History:
    """Return another history, which has the event too."""
    copied = History.decode(history.encode())
    fold(copied, event, metrics)
    return copied


def _tell(tally: EventStats, second: int, event: Event) -> None:
    for series in tally.series.values():
        series.add(second, 1)
    for path, figures in tally.figures.items():
        for value in values_at(event.attributes, path):
            figures.add(second, value)


def opened(moment: int, needs: EventNeeds | None) -> EventStats:
    """Return what is kept of no event yet; `moment` is in microseconds since 1970."""
    if needs is None:
        return EventStats(0, moment, moment)
    series = {width: Series(width, horizon, [b"", b""]) for width, horizon in needs.spans.items()}
    figures = {path: Figures.opened(attribute) for path, attribute in needs.attributes.items()}
    return EventStats(0, moment, moment, series, figures)


def lookup(history: History, metric: Metric, now: datetime, compared: Any = None) -> Any:
    """Return a figure: a number (int or Fraction, exact), a moment for `first` and `last`, a boolean for
    `sequence`, or None.

    `compared` is the value that past events must have by the metric's `by`. `days_since` counts full days of
    24 hours. None where there is nothing to say: no such event ever, no
    value in the window, or a sum beyond 64 bits of millionths.
    """
    if metric.steps:
        return _happened(history, metric, now)
    tally = history.tallies.get(metric.event)
    if tally is None:
        return _of_nothing(metric)
    if metric.derived:
        return _derived(history, metric, now, compared)
    if metric.kind == "count":
        return _count(tally, metric.window, int(now.timestamp()))
    if metric.kind == "streak":
        return _streak(tally, int(now.timestamp()))
    if metric.kind == "first":
        return _moment(tally.first)
    if metric.kind == "last":
        return _moment(tally.last)
    if metric.kind == "days_since":
        return max(0, (_micro(now) - tally.last) // 86_400_000_000)
    figures = tally.figures.get(metric.attribute or "")
    return None if figures is None else _ASKED[metric.kind](figures, metric.window, int(now.timestamp()))


def _of_nothing(metric: Metric) -> int | None:
    return 0 if metric.kind in ("count", "sum", "distinct", "streak") else None


def _derived(history: History, metric: Metric, now: datetime, compared: Any) -> Any:
    derived = history.derived.get(derived_name(metric))
    key = "" if metric.by is None else value_key(compared)
    if derived is None or key is None:
        return None
    figures = derived.keys.get(key)
    if figures is None:
        return _of_nothing(metric)
    if metric.kind == "count":
        return figures.counted(metric.window, int(now.timestamp()))
    if metric.kind in ("first", "last"):
        return None if figures.least is None else _moment(_edge(figures, metric.kind))
    if metric.kind == "days_since":
        return max(0, (_micro(now) - _edge(figures, "last")) // 86_400_000_000)
    return _ASKED[metric.kind](figures, metric.window, int(now.timestamp()))


def _happened(history: History, metric: Metric, now: datetime) -> bool | None:
    kept = history.sequences.get(sequence_name(metric.steps))
    if kept is None:
        return None if history.tallies.keys() & set(metric.steps) else False
    return needs_of(metric.steps).holds(kept, metric.window, _micro(now))


def _edge(figures: Figures, kind: str) -> int:
    """Return the first or last moment, in microseconds: moments are kept as seconds in millionths."""
    return (figures.least if kind == "first" else figures.most) or 0


def _streak(tally: EventStats, now: int) -> int | None:
    """Return on how many days in a row there were events, up to today or yesterday (UTC)."""
    series = serving(tally.series, int(LONGEST_STREAK.total_seconds()))
    if series is None:
        return None
    days, today = series.column(0), now // series.width
    at = len(days)
    while at and days[at - 1] > today:
        at -= 1
    if not at or days[at - 1] < today - 1:
        return 0
    first = at - 1
    while first and days[first - 1] == days[first] - 1:
        first -= 1
    return at - first


def _count(tally: EventStats, window: timedelta | None, now: int) -> int | None:
    if window is None:
        return tally.count
    seconds = int(window.total_seconds())
    series = serving(tally.series, seconds)
    return None if series is None else series.count(series.start(now, seconds))


_ASKED: dict[str, Callable[[Figures, timedelta | None, int], int | Fraction | None]] = {
    "sum": lambda figures, window, now: _number(figures.total(window, now)),
    "avg": lambda figures, window, now: figures.average(window, now),
    "min": lambda figures, window, now: _number(figures.extreme(window, now, min)),
    "max": lambda figures, window, now: _number(figures.extreme(window, now, max)),
    "distinct": lambda figures, window, now: figures.distinct(window, now),
}


def _number(micro: int | None) -> int | Fraction | None:
    if micro is None:
        return None
    return micro // MICRO if micro % MICRO == 0 else Fraction(micro, MICRO)


def _joined(one: EventStats, other: EventStats) -> EventStats:
    return EventStats(
        one.count + other.count,
        min(one.first, other.first),
        max(one.last, other.last),
        merged(one.series, other.series),
        {
            path: one.figures[path].joined(other.figures[path])
            for path in one.figures.keys() & other.figures.keys()
        },
    )


def lacking(history: History, name: str, metrics: Metrics) -> bool:
    """Tell whether something that is needed of the events of a name is not kept."""
    tally, needs = history.tallies.get(name), metrics.events[name]
    if tally is None:
        return history.crowded
    if not history.sequences.keys() >= set(metrics.sequences_of.get(name, ())):
        return True
    derived = metrics.derived_of.get(name, ())
    if any(not metrics.derived[each].kept_by(history.derived.get(each)) for each in derived):
        return True
    return not covers(tally.series, needs.spans) or any(
        path not in tally.figures or not tally.figures[path].covers(attribute)
        for path, attribute in needs.attributes.items()
    )


def _moment(micro: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micro)


def _micro(moment: datetime) -> int:
    gap = moment - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
