"""What waits for the committer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.model.operations import CustomerErase, Operation
from adapter.model.quarantine import Quarantined
from adapter.model.timers import Timer
from adapter.model.times import told


class Work(Struct, frozen=True):
    """One message after mapping: its operations, or why it is quarantined.

    `key` is the dedupe key, empty for work that is never repeated; `document` is what was mapped.
    `unrewarded` says why nothing is issued for history and for test traffic, which are stored all the same.
    `timer` is one whose time is up.
    """

    source: str
    key: str
    message_id: str
    received_at: datetime
    operations: tuple[Operation, ...] = ()
    unrewarded: str | None = None
    quarantine: Quarantined | None = None
    document: Any = None
    timer: Timer | None = None

    @property
    def told_at(self) -> datetime | None:
        """When the source said it; None for what no message brought."""
        return told(self.document, self.received_at).at if self.document else None

    def kept(self, reason: str) -> Quarantined:
        """Return the message as it waits in quarantine."""
        document = Raw(msgspec.json.encode(self.document))
        replayed = self.unrewarded is not None
        return Quarantined(self.source, self.key, document, reason, self.received_at, replayed=replayed)


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
