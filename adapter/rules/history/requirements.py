"""Which figures over past events the rules read, and so what must be kept of each event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from adapter.rules.expressions import Metric
from adapter.rules.history.derived import DerivedNeeds, derived_name
from adapter.rules.history.needs import AttributeNeeds, EventNeeds, widened
from adapter.rules.history.sequences import SequenceNeeds, needs_of, sequence_name

#: The longest row of days that is counted.
LONGEST_STREAK: Final = timedelta(days=400)


class Metrics:
    """What a rule book reads of the past; `digest` is the same for books that read the same.

    `derived` has by name what is worked out of past events, `derived_of` the names by event; `sequences` and
    `sequences_of` likewise.
    """

    def __init__(self, metrics: Iterable[Metric] = ()) -> None:
        self.events: dict[str, EventNeeds] = {}
        self.derived: dict[str, DerivedNeeds] = {}
        self.derived_of: dict[str, list[str]] = {}
        self.sequences: dict[str, SequenceNeeds] = {}
        self.sequences_of: dict[str, list[str]] = {}
        for metric in metrics:
            self._add(metric)
        lines = sorted(self._lines())
        self.digest = blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()

    def _add(self, metric: Metric) -> None:
        if metric.steps:
            self._order(metric.steps)
            return
        needs = self.events.setdefault(metric.event, EventNeeds({}, {}))
        if metric.derived:
            self._derive(metric)
            return
        spans = needs.spans
        if metric.attribute is not None:
            attribute = needs.attributes.setdefault(metric.attribute, AttributeNeeds({}))
            attribute.distinct |= metric.kind == "distinct"
            spans = {} if metric.kind == "distinct" else attribute.spans
        window = LONGEST_STREAK if metric.kind == "streak" else metric.window
        if window is not None:
            widened(spans, window)

    def _derive(self, metric: Metric) -> None:
        name = derived_name(metric)
        if name not in self.derived:
            self.derived[name] = DerivedNeeds(metric)
            self.derived_of.setdefault(metric.event, []).append(name)
        self.derived[name].reach(metric)

    def _order(self, steps: tuple[str, ...]) -> None:
        name = sequence_name(steps)
        if name in self.sequences:
            return
        self.sequences[name] = needs_of(steps)
        for step in dict.fromkeys(steps):
            self.events.setdefault(step, EventNeeds({}, {}))
            self.sequences_of.setdefault(step, []).append(name)

    def _lines(self) -> Iterator[str]:
        for event, needs in self.events.items():
            yield f"{event!r} {sorted(needs.spans.items())}"
            for name, attribute in needs.attributes.items():
                yield f"{event!r} {name!r} {sorted(attribute.spans.items())} {attribute.distinct}"
        for name, derived in self.derived.items():
            yield f"{name} {sorted(derived.spans.items())}"
        for name in self.sequences:
            yield f"sequence {name}"
