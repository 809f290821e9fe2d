"""What waits for the committer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.decisions import Unevaluated
from adapter.model.operations import CustomerErase, CustomerMerge, Operation
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.model.times import message_time

#: How many events an operation costs about as much as, where it takes many statements or its own transaction.
_COSTS = {CustomerMerge: 16, CustomerErase: 64}


class Unrewarded(Struct, frozen=True):
    """Why rules must not look at what a message says."""

    code: Unevaluated
    reason: str


class Work(Struct, frozen=True):
    """One message after mapping: its operations, or why it is quarantined.

    `key` is the dedupe key, empty for work that is never repeated; `document` is what was mapped.
    `unrewarded` says why nothing is issued for history and for test traffic, which are stored all the same.
    `timer` is one whose time is up. `prepared` says that the long pasts which it asks were read before.
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
    prepared: bool = False

    @property
    def told_at(self) -> datetime | None:
        """When the source said it; None for what no message brought."""
        return message_time(self.document, self.received_at).at if self.document else None

    def kept(self, reason: str) -> Quarantined:
        """Return the message as it waits in quarantine."""
        document = Raw(msgspec.json.encode(self.document))
        replayed = self.unrewarded is not None
        return Quarantined(self.source, self.key, document, reason, self.received_at, replayed=replayed)


def cost(works: Sequence[Work]) -> int:
    """Return about what it costs to settle works, in units of what an event costs."""
    more = sum([_COSTS.get(operation.__class__, 1) - 1 for work in works for operation in work.operations])
    return len(works) + more


def shares(works: Sequence[Work], most: int) -> list[Sequence[Work]]:
    """Cut works, in their order, into shares that cost no more than `most` each, or are one work."""
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


def apart(works: Sequence[Work]) -> list[Sequence[Work]]:
    """Cut works, in their order, where erasures begin and end, and around works that erase and do more.

    A store writes merges before erasures before everything else; in a transaction with neither beside it, an
    erasure takes what came before it, and nothing of what comes after. Within one work that order stays.
    """
    if not any(map(_erases, works)):
        return [works]
    return [[work for _, work in part] for _, part in groupby(enumerate(works), _part)]


def _part(numbered: tuple[int, Work]) -> tuple[bool, int]:
    """Return what a work has in common with its part: nothing, if it erases and does more."""
    number, work = numbered
    erases = _erases(work)
    mixed = erases and not all(operation.__class__ is CustomerErase for operation in work.operations)
    return erases, number if mixed else -1


def _erases(work: Work) -> bool:
    return any(operation.__class__ is CustomerErase for operation in work.operations)
