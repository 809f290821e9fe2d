"""Events in order: `history.sequence("products_searched", "product_viewed", "1h")`.

Kept are the newest MOST moments of all steps together, and of those before them only when the latest chain
of the first one, two, … steps began. So a customer's past costs the same however long it is. Events may
arrive in any order; one that is late by more than the moments kept can only begin a sequence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final

from msgspec import Struct

#: So many moments are kept one by one, of all steps of a sequence together.
MOST: Final = 32
_BETWEEN: Final = " > "
#: The moment of an event, and which of the steps it is, by the first step of its name.
Moment = tuple[int, int]


class Occurrences(Struct, array_like=True):
    """What is kept of the events of a sequence; moments are microseconds since 1970.

    `moments` are the newest, in order. `began` has for each step when the latest chain up to it began among
    all before them, 0 where there is none, and `until` the last of those moments.
    """

    began: list[int]
    until: int = 0
    moments: list[Moment] = []


class SequenceNeeds:
    """One sequence that rules ask for: its steps by name, and how its events are taken in."""

    def __init__(self, steps: Sequence[str]) -> None:
        self.steps = tuple(steps)
        self._numbers = {step: self.steps.index(step) for step in self.steps}
        self._places = {
            number: [at for at, step in enumerate(self.steps) if step == self.steps[number]]
            for number in self._numbers.values()
        }

    def opened(self) -> Occurrences:
        """Return what is kept of no event."""
        return Occurrences([0] * len(self.steps))

    def add(self, into: Occurrences, moment: int, event: str) -> None:
        """Take an event of one of the steps in."""
        self._insert(into, (moment, self._numbers[event]))
        self._forget(into)

    def joined(self, one: Occurrences, other: Occurrences) -> Occurrences:
        """Return what is kept of the events of both."""
        began = [max(pair) for pair in zip(one.began, other.began, strict=True)]
        both = Occurrences(began, max(one.until, other.until))
        for moment in (*one.moments, *other.moments):
            self._insert(both, moment)
        self._forget(both)
        return both

    def holds(self, kept: Occurrences, window: timedelta | None, now: int) -> bool:
        """Return whether all steps happened in order, the first within the window before `now`."""
        began = kept.began
        for moment, numbers in _by_moment(kept.moments):
            began = self._with(began, moment, numbers)
        since = 1 if window is None else now - window // timedelta(microseconds=1)
        return bool(began[-1]) and began[-1] >= since

    def _insert(self, into: Occurrences, moment: Moment) -> None:
        at, number = moment
        if at > into.until:
            into.moments.insert(bisect_right(into.moments, moment), moment)
        elif number == 0:
            into.began[0] = max(into.began[0], at)

    def _forget(self, kept: Occurrences) -> None:
        """Keep of the oldest moments only when the latest chains began; those of one moment go together."""
        while len(kept.moments) > MOST:
            moment, numbers = next(_by_moment(kept.moments))
            kept.began, kept.until = self._with(kept.began, moment, numbers), moment
            del kept.moments[: len(numbers)]

    def _with(self, began: list[int], moment: int, numbers: Sequence[int]) -> list[int]:
        """Return when the latest chains began, with the events of a later moment, which have no order."""
        longer = began.copy()
        for number in numbers:
            for place in self._places[number]:
                start = began[place - 1] if place else moment
                longer[place] = max(longer[place], start)
        return longer


def _by_moment(moments: Sequence[Moment]) -> Iterator[tuple[int, list[int]]]:
    for moment, found in groupby(moments, key=lambda each: each[0]):
        yield moment, [number for _, number in found]


@lru_cache(maxsize=1024)
def needs_of(steps: tuple[str, ...]) -> SequenceNeeds:
    """Return the sequence of these steps."""
    return SequenceNeeds(steps)


def sequence_name(steps: Sequence[str]) -> str:
    """Return under which name a sequence is kept."""
    return _BETWEEN.join(steps)


def steps_of(name: str) -> tuple[str, ...]:
    """Return the steps of a sequence that is kept under a name."""
    return tuple(name.split(_BETWEEN))
