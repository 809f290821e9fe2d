"""Delete quarantined messages that will never be replayed, by filter, with a reason that the log keeps."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.quarantine import Excerpt
from adapter.store.contract import Store

_log = logging.getLogger(__name__)
_PAGE = 100


class RemovalFilter(Struct, frozen=True):
    """Which entries to delete: those for which all that is given holds; `everything` where nothing is.

    `because` is a part of the reason why they are in quarantine, in any case; `before` is aware.
    """

    ids: Collection[int] = frozenset()
    source: str | None = None
    because: str | None = None
    before: datetime | None = None
    everything: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything is given."""
        return bool(self.ids or self.source or self.because or self.before)

    def takes(self, entry: Excerpt) -> bool:
        """Return whether an entry is to be deleted."""
        return (
            (not self.ids or entry.id in self.ids)
            and self.source in {None, entry.source}
            and (self.because is None or self.because.casefold() in entry.reason.casefold())
            and (self.before is None or entry.received_at < self.before)
        )


class QuarantineRemoved(Struct, frozen=True):
    """How many entries were deleted, or would be with `dry_run`, by the reason of their quarantine."""

    removed: int
    reasons: dict[str, int]
    dry_run: bool = False


async def remove(store: Store, which: RemovalFilter, reason: str, *, dry_run: bool) -> QuarantineRemoved:
    """Delete entries, the oldest first; what arrives meanwhile stays. Repeating it is safe.

    Raises Unreadable without a reason, and where a filter is missing or contradicts `everything`.
    """
    if not reason.strip():
        raise Unreadable("say why these messages are deleted: `reason`")
    if which.narrows == which.everything:
        raise Unreadable("name messages by `ids`, `source`, `because` or `before`, or all by `everything`")
    latest = max((entry.id for entry in await store.latest_quarantined(limit=1)), default=0)
    after, removed, reasons = 0, 0, dict[str, int]()
    while entries := [each for each in await store.quarantined(after, _PAGE) if each.id <= latest]:
        after = entries[-1].id
        taken = [entry for entry in entries if which.takes(entry)]
        for entry in taken:
            reasons[entry.reason] = reasons.get(entry.reason, 0) + 1
        if taken:
            ids = [entry.id for entry in taken]
            removed += len(ids) if dry_run else await store.release_quarantined(ids)
    if removed and not dry_run:
        _log.info("quarantined messages were deleted", extra={"reason": reason, "count": removed})
    return QuarantineRemoved(removed, reasons, dry_run)
