"""What takes messages and operations: mapped, decided and committed, or only tried."""

from __future__ import annotations

from functools import partial
from typing import Self

from msgspec import Struct

from adapter.composition.base import Base
from adapter.composition.checkout import CheckoutServices
from adapter.composition.committing import Committing
from adapter.services.background.ignored_counts import IgnoredCounts
from adapter.services.background.sweeps import kept_for
from adapter.services.core.evaluate import Evaluate
from adapter.services.dry_runs.service import DryRuns
from adapter.services.ingest.mapper import Mapper, OperationMapper, Policy
from adapter.services.ingest.outcome_counts import OutcomeCounts
from adapter.services.ingest.pipeline import Ingest
from adapter.sources.decoded_body import Bounds


class IngestServices(Struct, frozen=True, kw_only=True):
    """`messages` takes those of sources, and `operations` those of another instance, whose core this one is.

    `evaluate` answers operations, and `dry_runs` decides without an effect. `ignored` counts messages that no
    mapping takes.
    """

    mapper: Mapper
    operation_mapper: OperationMapper
    ignored: IgnoredCounts
    messages: Ingest
    operations: Ingest
    evaluate: Evaluate
    dry_runs: DryRuns

    @classmethod
    def of(cls, base: Base, committing: Committing, checkout: CheckoutServices) -> Self:
        """Build both pipelines on the same committer, and what uses them."""
        books, clock, settings = base.books, base.clock, base.settings
        policy = Policy.of(settings)
        mapper, operation_mapper = Mapper(books, policy, clock), OperationMapper(books, policy, clock)
        ignored = IgnoredCounts(base.store, clock, kept_for(settings.retention.decision_days))
        counts = OutcomeCounts(books, base.metrics, clock)
        journal, remote = committing.recorders.journal, committing.remote
        messages = Ingest(
            mapper,
            remote.forwarding(committing.committer) if remote else committing.committer,
            counts,
            ignored.note,
            None if remote else checkout.orders,
            journal=journal,
        )
        operations = Ingest(
            operation_mapper, committing.committer, counts, orders=checkout.orders, journal=journal
        )
        return cls(
            mapper=mapper,
            operation_mapper=operation_mapper,
            ignored=ignored,
            messages=messages,
            operations=operations,
            evaluate=_evaluate(base, committing, operations),
            dry_runs=_dry_runs(base, committing, checkout),
        )


def _evaluate(base: Base, committing: Committing, operations: Ingest) -> Evaluate:
    """Build what answers the operations of one request."""
    bounds = Bounds(base.settings.ingest.max_event_bytes)
    return Evaluate(operations, base.store, committing.recorders.evaluating, base.clock, bounds)


def _dry_runs(base: Base, committing: Committing, checkout: CheckoutServices) -> DryRuns:
    """Build what decides in a transaction that it undoes."""
    return DryRuns(
        base.store,
        base.books,
        base.in_force,
        base.clock,
        room=partial(getattr, committing.recorders.timers, "room"),
        shares=checkout.checkout.shares,
        patience=base.patience,
    )
