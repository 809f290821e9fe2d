"""Work items of the committer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.decisions import Unevaluated
from adapter.model.operations import (
    CustomerErase,
    CustomerMerge,
    CustomerUpsert,
    DiscountMove,
    EventOccurred,
    Operation,
)
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.model.times import message_time
from adapter.model.triggers import Firing

#: The cost of operations that take many statements or a transaction of their own; that of an event is 1.
_COSTS = {CustomerMerge: 16, CustomerErase: 64}


class Unrewarded(Struct, frozen=True):
    """Why no rule is evaluated for a message; whether that is `recorded` as a decision."""

    code: Unevaluated
    reason: str
    recorded: bool = True


class Work(Struct, frozen=True):
    """One message after mapping: its operations, or why it is quarantined.

    `key` is the dedupe key, empty for work that is never repeated; `document` is the mapped document.
    `unrewarded` says why nothing is issued for history and for test traffic, which are only stored. `timer`
    is one that is due, `firing` that of a schedule for a customer. `prepared` says that the long histories
    that it needs are complete. `as_of` is the time as of which rules are evaluated, where that is not the
    time of the commit. `decided_at` is the time of the commit in a simulation.
    """

    source: str
    key: str
    message_id: str
    received_at: datetime
    operations: tuple[Operation, ...] = ()
    unrewarded: Unrewarded | None = None
    quarantine: Quarantined | None = None
    document: Any = None
    timer: Timer | None = None
    firing: Firing | None = None
    prepared: bool = False
    as_of: datetime | None = None
    decided_at: datetime | None = None

    @property
    def occurred_at(self) -> datetime | None:
        """The time of the message; None for work without a message."""
        return message_time(self.document, self.received_at).at if self.document else None

    def kept(self, reason: str) -> Quarantined:
        """Return the message as it is stored in quarantine."""
        document = Raw(msgspec.json.encode(self.document))
        replayed = self.unrewarded is not None
        return Quarantined(self.source, self.key, document, reason, self.received_at, replayed=replayed)


def cost(works: Sequence[Work]) -> int:
    """Return the approximate cost to commit works; that of one event is 1."""
    more = sum([_COSTS.get(operation.__class__, 1) - 1 for work in works for operation in work.operations])
    return len(works) + more


def shares(works: Sequence[Work], most: int) -> list[Sequence[Work]]:
    """Split works, in order, into shares that cost at most `most` each, or are one work."""
    if cost(works) <= most:
        return [works]
    cut: list[list[Work]] = [[]]
    room = most
    for work in works:
        room -= cost([work])
        if room < 0 and cut[-1]:
            cut.append([])
            room = most - cost([work])
        cut[-1].append(work)
    return list(cut)


def split_at_erasures(works: Sequence[Work]) -> list[Sequence[Work]]:
    """Split works, in order, where erasures begin and end, and around works that erase and do more.

    A store writes merges before erasures before everything else; in a transaction without these, an erasure
    removes the data from before it, and none from after it. Within one work this order applies.
    """
    if not any(map(_erases, works)):
        return [works]
    return [[work for _, work in part] for _, part in groupby(enumerate(works), _part)]


def parts_of(works: Sequence[Work], counting: Collection[str]) -> list[Sequence[Work]]:
    """Split works, in order, into those of one transaction each.

    An event of which rules count the customer's discounts (`counting` has their names) is not in one
    transaction with what may have changed these before it.
    """
    parts = split_at_erasures(works)
    return parts if not counting else [each for part in parts for each in _split_at_counts(part, counting)]


def _split_at_counts(works: Sequence[Work], counting: Collection[str]) -> list[Sequence[Work]]:
    cut: list[list[Work]] = [[]]
    seen: set[str] = set()
    moved = False
    for work in works:
        names, counts = _names(work), _counts(work, counting)
        if cut[-1] and counts and (moved or not names.isdisjoint(seen)):
            cut.append([])
            seen, moved = set(), False
        cut[-1].append(work)
        seen |= names
        moved = moved or any(operation.__class__ is DiscountMove for operation in work.operations)
    return list(cut)


def _counts(work: Work, counting: Collection[str]) -> bool:
    if work.timer is not None or work.firing is not None:
        return True  # of whatever rule: these are rare
    return any(
        each.event.name in counting if isinstance(each, EventOccurred) else isinstance(each, CustomerUpsert)
        for each in work.operations
    )


def _names(work: Work) -> set[str]:
    """Return every id that a work gives for customers."""
    names = {each.source_id for each in (work.timer, work.firing) if each is not None}
    for each in work.operations:
        found = (each.source_id, getattr(each, "previous_id", None))
        names.update(name for name in (*found, *getattr(each, "identities", {}).values()) if name)
    return names


def _part(numbered: tuple[int, Work]) -> tuple[bool, int]:
    """Return the key of a work's part; it is unique for a work that erases and does more."""
    number, work = numbered
    erases = _erases(work)
    mixed = erases and not all(operation.__class__ is CustomerErase for operation in work.operations)
    return erases, number if mixed else -1


def _erases(work: Work) -> bool:
    return any(operation.__class__ is CustomerErase for operation in work.operations)
