"""Slots: how a limit of n over any window is counted, and what becomes of them when two customers join.

Each of n slots has a pause of the window's length; whoever finds one that has rested long enough has had at
most n - 1 within the window. The counter of a slot, `RULE|slot|INDEX|SECONDS|PIECE`, holds when in the piece
of time (of so many seconds, since 1970) it was last taken: the offset in seconds, from 1.

Of two who join, the slots are sorted anew, and which discount took which is no longer told. So what was
issued before gives no slot back: another discount may be counted in it by now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from adapter.model.discounts import DiscountRecord

#: The second part of a slot counter's key.
SLOT = "slot"


class _Slot(NamedTuple):
    """One slot of a limit, as it was last taken: `taken_at` in seconds since 1970."""

    taken_at: int
    piece: int
    used: int


#: A rule's name, and the length of its window in seconds.
Limit = tuple[str, int]


def keeping_slots(held: DiscountRecord, limits: Collection[Limit] | None = None) -> DiscountRecord:
    """Return a discount that gives back no slot of its customer's: of these limits, or of any."""
    own = held.source_id
    kept = tuple([each for each in held.claims if each.scope != own or not _is_of(each.key, limits)])
    return held if len(kept) == len(held.claims) else replace(held, claims=kept)


def sorted_anew(joining: Iterable[Mapping[str, int]], now: int) -> set[Limit]:
    """Return the limits of which more than one of those who join has slots that rest still."""
    return set(_shared(joining, now))


def extra(joining: Sequence[Mapping[str, int]], now: int) -> dict[str, int]:
    """Return the counters that must be added to the sum of the counters of those who join.

    However many slots a limit has, the first of them must rest for whatever was taken last (`now` in seconds
    since 1970). A slot that several have taken rests for all, and no shorter than for the latest.
    """
    found: dict[str, int] = {}
    shared = _shared(joining, now)
    if not shared:
        return found
    joined: Counter[str] = Counter()
    for counters in joining:
        joined.update(counters)
    standing = _taken(joined, now)
    for limit, slots in shared.items():
        rule, seconds = limit
        for index, slot in enumerate(sorted(slots, reverse=True)):
            there = standing[limit].get(index)
            if there is None or there.taken_at < slot.taken_at:
                key = f"{rule}|{SLOT}|{index}|{seconds}|{slot.piece}"
                found[key] = slot.used - joined[key]
    return found


def _shared(joining: Iterable[Mapping[str, int]], now: int) -> dict[Limit, list[_Slot]]:
    """Return, by limit, the slots that rest still, where more than one of those who join has such."""
    found: dict[Limit, list[_Slot]] = defaultdict(list)
    holders: Counter[Limit] = Counter()
    for counters in joining:
        for limit, slots in _taken(counters, now).items():
            holders[limit] += 1
            found[limit].extend(slots.values())
    return {limit: slots for limit, slots in found.items() if holders[limit] > 1}


def _is_of(key: str, limits: Collection[Limit] | None) -> bool:
    limit = _limit_of(key)
    return limit is not None and (limits is None or limit in limits)


def _limit_of(key: str) -> Limit | None:
    rule, _, rest = key.partition("|")
    parts = rest.split("|")
    return (rule, int(parts[2])) if parts[0] == SLOT else None


def _taken(counters: Mapping[str, int], now: int) -> dict[Limit, dict[int, _Slot]]:
    """Return the slots that rest still, by limit and index."""
    found: dict[Limit, dict[int, _Slot]] = {}
    for key, used in counters.items():
        rule, _, rest = key.partition("|")
        parts = rest.split("|")
        if parts[0] != SLOT or used <= 0:
            continue
        index, seconds, piece = (int(part) for part in parts[1:])
        # A sum of two may be more than the piece is long; it rests for as long as the piece's last second.
        offset = min(used, seconds)
        slot = _Slot(piece * seconds + offset - 1, piece, offset)
        if slot.taken_at + seconds > now:
            slots = found.setdefault((rule, seconds), {})
            slots[index] = max(slot, slots.get(index, slot))
    return found
