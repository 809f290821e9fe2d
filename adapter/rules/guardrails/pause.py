"""A pause of some length between two issues, exact to the second, as counters."""

from __future__ import annotations

from datetime import timedelta

from adapter.model.counter_key import CounterKey
from adapter.model.discounts import CounterReservation
from adapter.rules.guardrails.contract import CountedBlock


class Pause:
    """What keeps the length of a pause between two issues to one customer or device.

    Time is cut in pieces of that length, with a counter each that holds when in it the last issue was (its
    offset in seconds, from 1). None may have been in this piece or, for a clock that runs behind another's,
    in the next; and one in the piece before must have been at no later an offset than now. `parts` begin
    the keys of the counters; their length and piece follow.
    """

    __slots__ = ("_at", "_counted", "_name", "_parts", "_seconds")

    def __init__(
        self, counted: CountedBlock, guardrail: str, parts: tuple[str, ...], length: timedelta
    ) -> None:
        self._counted, self._name, self._parts = counted, counted.label(guardrail), parts
        self._seconds = max(1, int(length.total_seconds()))
        self._at = (0, self._keys(0))

    def reserve(self, scope: str, second: int) -> tuple[CounterReservation, ...]:
        """Return what a customer or device reserves at a second since 1970."""
        piece, offset = divmod(second, self._seconds)
        at, keys = self._at
        if at != piece:  # the keys of one piece are the same for everybody
            keys = self._keys(piece)
            self._at = (piece, keys)
        before, current, after = keys
        offset += 1
        return (
            CounterReservation(scope, before, offset, 0, self._name),
            CounterReservation(scope, current, offset, offset, self._name),
            CounterReservation(scope, after, 0, 0, self._name),
        )

    def _keys(self, piece: int) -> tuple[CounterKey, CounterKey, CounterKey]:
        before, current, after = (
            self._counted.key(*self._parts, str(self._seconds), str(place))
            for place in (piece - 1, piece, piece + 1)
        )
        return before, current, after
