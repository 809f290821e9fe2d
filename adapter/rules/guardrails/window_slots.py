"""Slots: how a limit of n over any window is counted, and what becomes of them when customers are merged.

Each of n slots pauses for the window's length after it was taken. A discount needs one slot that does not
pause, so no window ever holds more than n. The counter of a slot, `RULE|slot|INDEX|SECONDS|PIECE`, holds when
in the piece of time (of so many seconds, since 1970) it was last taken: the offset in seconds, from 1.

When several customers are merged, the slots are reassigned, so a discount that was issued before can no
longer be matched to its slot and releases none: another discount may be counted in it by now.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from adapter.model.counter_key import CounterKey, decode, encode, within
from adapter.model.discounts import CounterReservation, DiscountRecord

_SLOT = "slot"
#: What the key of each slot's counter contains, and no other key.
MARK = within(_SLOT)


class Limit(NamedTuple):
    """A limit of one rule over any window of so many seconds."""

    rule: str
    seconds: int


class Merged(NamedTuple):
    """What becomes of the slots of customers who are merged.

    `more` must be added to the sum of all their counters. `limits` are those of which the slots were
    reassigned.
    """

    more: dict[CounterKey, int]
    limits: frozenset[Limit]


class _Slot(NamedTuple):
    """One slot of a limit, as it was last taken: `taken_at` in seconds since 1970."""

    taken_at: int
    piece: int
    used: int


def slot(index: int) -> tuple[str, str]:
    """Return the parts of a counter's key that name the slot; its pause adds the rest."""
    return _SLOT, str(index)


def limit_of(key: CounterKey) -> Limit | None:
    """Return the limit of which a counter is a slot's, else None."""
    if MARK not in key:
        return None
    rule, (_, _, seconds, _) = decode(key)
    return Limit(rule, int(seconds))


def alternatives(
    claims: Sequence[CounterReservation],
) -> tuple[list[CounterReservation], list[list[list[CounterReservation]]]]:
    """Return the claims that must all be met, and groups of slots of which one must be met each."""
    if not any(MARK in claim.key for claim in claims):
        return list(claims), []
    fixed: list[CounterReservation] = []
    groups: dict[tuple[str, str, str], dict[str, list[CounterReservation]]] = {}
    for claim in claims:
        if MARK in claim.key:
            rule, (_, index, seconds, _) = decode(claim.key)
            groups.setdefault((claim.scope, rule, seconds), {}).setdefault(index, []).append(claim)
        else:
            fixed.append(claim)
    return fixed, [list(slots.values()) for slots in groups.values()]


def keeping_slots(held: DiscountRecord, limits: Collection[Limit] | None = None) -> DiscountRecord:
    """Return a discount that gives back no slot of its customer's: of these limits, or of any."""
    own = held.source_id
    kept = tuple([each for each in held.claims if each.scope != own or not _is_of(each.key, limits)])
    return held if len(kept) == len(held.claims) else replace(held, claims=kept)


def merged(holders: Sequence[Mapping[CounterKey, int]], now: int) -> Merged:
    """Return what becomes of the slots when those who hold these counters are merged.

    However many slots a limit has, the first of them must pause for the latest that was taken (`now` in
    seconds since 1970). A slot that several have taken pauses for all, and no shorter than for the latest.
    """
    more: dict[CounterKey, int] = {}
    shared = _shared(holders, now)
    if not shared:
        return Merged(more, frozenset())
    summed: Counter[CounterKey] = Counter()
    for counters in holders:
        summed.update(counters)
    pausing = _taken(summed, now)
    for limit, slots in shared.items():
        for index, latest in enumerate(sorted(slots, reverse=True)):
            there = pausing[limit].get(index)
            if there is None or there.taken_at < latest.taken_at:
                key = encode(limit.rule, *slot(index), str(limit.seconds), str(latest.piece))
                more[key] = latest.used - summed[key]
    return Merged(more, frozenset(shared))


def _shared(holders: Iterable[Mapping[CounterKey, int]], now: int) -> dict[Limit, list[_Slot]]:
    """Return, by limit, the slots that pause still, where more than one of the holders has such."""
    found: dict[Limit, list[_Slot]] = defaultdict(list)
    having: Counter[Limit] = Counter()
    for counters in holders:
        for limit, slots in _taken(counters, now).items():
            having[limit] += 1
            found[limit].extend(slots.values())
    return {limit: slots for limit, slots in found.items() if having[limit] > 1}


def _is_of(key: CounterKey, limits: Collection[Limit] | None) -> bool:
    limit = limit_of(key)
    return limit is not None and (limits is None or limit in limits)


def _taken(counters: Mapping[CounterKey, int], now: int) -> dict[Limit, dict[int, _Slot]]:
    """Return the slots that pause still, by limit and index."""
    found: dict[Limit, dict[int, _Slot]] = {}
    for key, used in counters.items():
        if used <= 0 or MARK not in key:
            continue
        rule, (_, index, length, piece) = decode(key)
        seconds = int(length)
        # A sum of two may be more than the piece is long; it pauses for as long as the piece's last second.
        offset = min(used, seconds)
        taken = _Slot(int(piece) * seconds + offset - 1, int(piece), offset)
        if taken.taken_at + seconds > now:
            slots = found.setdefault(Limit(rule, seconds), {})
            slots[int(index)] = max(taken, slots.get(int(index), taken))
    return found
