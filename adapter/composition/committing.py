"""What commits: the committer, its transactions, and what they record."""

from __future__ import annotations

import time
from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.delivery import DeliveryServices
from adapter.services.core.remote import CoreConnection, remote_core
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.commit_limits import Limits
from adapter.services.ingest.evaluations import Evaluating
from adapter.services.ingest.group_commit import GroupCommitter
from adapter.services.ingest.history_completion import HistoryCompleter
from adapter.services.ingest.journal import Journal
from adapter.services.ingest.pipeline import Transactions
from adapter.services.ingest.timer_capacity import TimerCapacity


class Recorders(Struct, frozen=True, kw_only=True):
    """What transactions record beside their rows: timers, success, evaluations, and the journal."""

    timers: TimerCapacity
    health: CommitHealth
    evaluating: Evaluating
    journal: Journal

    @classmethod
    def of(cls, base: Base) -> Self:
        """Build them from the settings."""
        kept = base.settings.journal
        return cls(
            timers=TimerCapacity(base.store, base.metrics, base.settings.ingest.max_timers),
            health=CommitHealth(time.monotonic),
            evaluating=Evaluating(),
            journal=Journal(kept.mask, on=kept.days > 0, note_left_out=base.metrics.journal_left_out.inc),
        )


class Committing(Struct, frozen=True, kw_only=True):
    """`committer` commits messages in groups, by `transactions` or, where another instance decides, `remote`.

    `completer` completes the histories of customers before rules need them.
    """

    recorders: Recorders
    transactions: Transactions
    remote: CoreConnection | None
    completer: HistoryCompleter
    committer: GroupCommitter

    @classmethod
    def of(cls, base: Base, delivery: DeliveryServices) -> Self:
        """Build the committer on the transactions of this process or of the remote core."""
        recorders = Recorders.of(base)
        transactions = _transactions(base, delivery, recorders)
        remote = _remote(base, delivery, recorders)
        completer = HistoryCompleter(base.store, base.books, base.clock)
        committer = GroupCommitter(
            remote.settle if remote else transactions.settle,
            Limits.of(base.settings.ingest),
            base.metrics,
            completer.complete,
            split=transactions.parts,
        )
        return cls(
            recorders=recorders,
            transactions=transactions,
            remote=remote,
            completer=completer,
            committer=committer,
        )


def _transactions(base: Base, delivery: DeliveryServices, recorders: Recorders) -> Transactions:
    """Build the transactions in which this process decides."""
    return Transactions(
        base.store,
        base.books,
        base.world,
        timers=recorders.timers,
        health=recorders.health,
        metrics=base.metrics,
        destinations=delivery.destinations.recipients,
        wake=delivery.dispatcher.wake,
        reasons=base.settings.log.reasons,
        forwards=delivery.destinations.forwards,
        wake_forwarder=delivery.forwarder.wake,
        evaluating=recorders.evaluating,
        journal=recorders.journal,
    )


def _remote(base: Base, delivery: DeliveryServices, recorders: Recorders) -> CoreConnection | None:
    """Build what forwards operations to another instance, where the settings name one."""
    chosen = base.settings.destinations.core
    if chosen is None:
        return None
    return remote_core(
        chosen,
        delivery.destinations,
        base.store,
        base.world,
        health=recorders.health,
        wake=delivery.dispatcher.wake,
        metrics=base.metrics,
        journal=recorders.journal,
    )
