"""Commits the works of a batch by `settle`, and finds those that cannot be committed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from adapter.errors import AdapterError, Unavailable
from adapter.services.ingest.history_completion import Unprepared
from adapter.services.ingest.result import Result
from adapter.services.ingest.unstorable import quarantined, without_unstorable
from adapter.services.ingest.work_item import Work
from adapter.store.transaction_contract import OnLocksAcquired

_log = logging.getLogger(__name__)

#: Commits works in one durable transaction.
Settle = Callable[[Sequence[Work], OnLocksAcquired], Awaitable[list[Result]]]
#: Splits works, in order, into those of one transaction each.
Split = Callable[[Sequence[Work]], list[Sequence[Work]]]


class Settling:
    """Calls `settle` for each part that `split` returns, and for smaller ones where it fails."""

    def __init__(self, settle: Settle, split: Split) -> None:
        self._settle = settle
        self._split = split

    async def commit(self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        """Commit works, erasures in transactions of their own; the next batch waits for all of them."""
        *before, last = self._split(works)
        results = [result for part in before for result in await self._part(part, _noop)]
        return results + await (self._part if before else self._settle_or_quarantine)(last, on_locks_acquired)

    async def _part(self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired) -> list[Result]:
        """Commit a part of works of which others are committed already, so none may be deferred."""
        try:
            return await self._settle_or_quarantine(works, on_locks_acquired)
        except Unprepared:
            return await self._settle_or_quarantine(all_prepared(works), on_locks_acquired)

    async def _settle_or_quarantine(
        self, works: Sequence[Work], on_locks_acquired: OnLocksAcquired
    ) -> list[Result]:
        """Commit works; those that fail unexpectedly are found, and quarantined, or answered with an error.

        Works that cannot be encoded are filtered out at once; others that fail are found by bisection.
        """
        try:
            return await self._settle(works, on_locks_acquired)
        except (AdapterError, Unprepared):
            raise
        except Exception as error:
            if len(works) > 1:
                kept = without_unstorable(works)
                if kept is not None:
                    return await self._settle_or_quarantine(kept, on_locks_acquired)
                half = len(works) // 2
                first = await self._part(works[:half], on_locks_acquired)
                return first + await self._part(works[half:], on_locks_acquired)
            if not works or works[0].quarantine is not None:
                raise Unavailable("the message cannot be stored") from error
            _log.exception("a message could not be decided", extra={"source": works[0].source})
            reason = f"internal error while deciding: {type(error).__name__}"
            if works[0].document is None:
                # The caller waits for the result; there is no message to replay.
                return [Result(works[0].message_id, "ignored", reason, error=Unavailable.code)]
            return await self._settle_or_quarantine([quarantined(works[0], reason)], on_locks_acquired)


def all_prepared(works: Sequence[Work]) -> list[Work]:
    """Return works marked as prepared, so that none is deferred."""
    return [replace(work, prepared=True) for work in works]


def _noop() -> None:
    """Do nothing when the locks are acquired."""
