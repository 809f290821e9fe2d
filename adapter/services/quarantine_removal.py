"""Delete quarantined messages that will never be replayed, by filter, with a reason that the log keeps."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.quarantine import Reason
from adapter.model.quarantine_groups import group_of
from adapter.store.contract import Store

_log = logging.getLogger(__name__)
#: Messages that one slice looks at.
SLICE = 1_000


class RemovalFilter(Struct, frozen=True):
    """Which entries to delete: those for which all that is given holds; `everything` where nothing is.

    `because` is a part of the reason why they are in quarantine, in any case; `before` is aware. `group` is
    what `adapter.model.quarantine_groups.group_of` names.
    """

    ids: Collection[int] = frozenset()
    source: str | None = None
    because: str | None = None
    before: datetime | None = None
    everything: bool = False
    group: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything is given."""
        return bool(self.ids or self.source or self.because or self.before or self.group)

    def takes(self, entry: Reason) -> bool:
        """Return whether an entry is to be deleted."""
        return (
            (not self.ids or entry.id in self.ids)
            and self.source in {None, entry.source}
            and (self.because is None or self.because.casefold() in entry.reason.casefold())
            and (self.before is None or entry.received_at < self.before)
            and self.group in {None, group_of(entry.source, entry.reason)}
        )


class QuarantineRemoved(Struct, frozen=True):
    """How many entries were deleted, or would be with `dry_run`, by the reason of their quarantine."""

    removed: int
    reasons: dict[str, int]
    dry_run: bool = False


class RemovedSlice(Struct, frozen=True):
    """What one slice came to; the next begins behind `next`, None where all up to `upto` were looked at."""

    removed: int
    reasons: dict[str, int]
    upto: int
    next: int | None


async def remove(store: Store, which: RemovalFilter, reason: str, *, dry_run: bool) -> QuarantineRemoved:
    """Delete entries, the oldest first; what arrives meanwhile stays. Repeating it is safe.

    Raises Unreadable without a reason, and where a filter is missing or contradicts `everything`.
    """
    removed, reasons = 0, dict[str, int]()
    done = await remove_slice(store, which, reason, dry_run=dry_run)
    while True:
        removed += done.removed
        for why, count in done.reasons.items():
            reasons[why] = reasons.get(why, 0) + count
        if done.next is None:
            break
        done = await remove_slice(store, which, reason, done.next, done.upto, dry_run=dry_run)
    return QuarantineRemoved(removed, reasons, dry_run)


async def remove_slice(
    store: Store, which: RemovalFilter, reason: str, after: int = 0, upto: int | None = None, *, dry_run: bool
) -> RemovedSlice:
    """Delete entries of one slice behind an id, up to `upto` or the latest there is; raises Unreadable."""
    if not reason.strip():
        raise Unreadable("say why these messages are deleted: `reason`")
    if which.narrows == which.everything:
        raise Unreadable("name messages by `ids`, `source`, `because` or `before`, or all by `everything`")
    if upto is None:
        upto = max((entry.id for entry in await store.quarantine_reasons(limit=1)), default=0)
    entries = [each for each in await store.oldest_quarantine_reasons(after, SLICE) if each.id <= upto]
    reasons = Counter(entry.reason for entry in entries if which.takes(entry))
    ids = [entry.id for entry in entries if which.takes(entry)]
    removed = len(ids) if dry_run or not ids else await store.release_quarantined(ids)
    if removed and not dry_run:
        _log.info("quarantined messages were deleted", extra={"reason": reason, "count": removed})
    following = entries[-1].id if entries and entries[-1].id < upto else None
    return RemovedSlice(removed, dict(reasons), upto, following)
