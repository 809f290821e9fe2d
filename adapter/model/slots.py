"""Slots: how a limit of n over any window is counted, and what becomes of them when two customers join.

Each of n slots has a pause of the window's length; whoever finds one that has rested long enough has had at
most n - 1 within the window. The counter of a slot, `RULE|slot|INDEX|SECONDS|PIECE`, holds when in the piece
of time (of so many seconds, since 1970) it was last taken: the offset in seconds, from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: The second part of a slot counter's key.
SLOT = "slot"


class _Slot(NamedTuple):
    """One slot of a limit, as it was last taken: `taken_at` in seconds since 1970."""

    taken_at: int
    piece: int
    used: int


_Limit = tuple[str, int]


def extra(ours: Mapping[str, int], theirs: Mapping[str, int], now: int) -> dict[str, int]:
    """Return the counters that must be added, apart from theirs, when their counters are added to ours.

    A slot that both have taken within the window (`now` in seconds since 1970) becomes one slot, which rests
    for both; so a slot that rests for nobody is taken in its place.
    """
    found: dict[str, int] = {}
    mine, other = _taken(ours, now), _taken(theirs, now)
    for limit, slots in mine.items():
        others = other.get(limit, {})
        both = sorted(slots.keys() & others.keys())
        free = _free(slots.keys() | others.keys())
        for index, place in zip(both, free, strict=False):
            older = min(slots[index], others[index])
            rule, seconds = limit
            found[f"{rule}|{SLOT}|{place}|{seconds}|{older.piece}"] = older.used
    return found


def _free(taken: Iterable[int]) -> Iterable[int]:
    full = set(taken)
    return (place for place in range(2 * len(full) + 1) if place not in full)


def _taken(counters: Mapping[str, int], now: int) -> dict[_Limit, dict[int, _Slot]]:
    """Return the slots that rest still, by limit and index."""
    found: dict[_Limit, dict[int, _Slot]] = {}
    for key, used in counters.items():
        rule, _, rest = key.partition("|")
        parts = rest.split("|")
        if parts[0] != SLOT or used <= 0:
            continue
        index, seconds, piece = (int(part) for part in parts[1:])
        slot = _Slot(piece * seconds + used - 1, piece, used)
        if slot.taken_at + seconds > now:
            slots = found.setdefault((rule, seconds), {})
            slots[index] = max(slot, slots.get(index, slot))
    return found
