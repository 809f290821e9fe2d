"""The parts of a process that has a remote core, built from its settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from msgspec import Struct

from adapter.destinations.core import CoreDestination
from adapter.destinations.registry import ConfiguredDestinations
from adapter.metrics import Metrics
from adapter.services.core.answers import Answers, Forwarding, Waiting
from adapter.services.core.capacity import CoreCapacity
from adapter.services.core.forwarding import ForwardTransactions
from adapter.services.environment import Environment
from adapter.services.ingest.commit_health import CommitHealth
from adapter.services.ingest.journal import Journal
from adapter.services.ingest.pipeline import Committer
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.settings.destinations.core import Core
from adapter.store.contract import Store
from adapter.store.transaction_contract import OnLocksAcquired


class CoreConnection(Struct, frozen=True, kw_only=True):
    """What replaces the decisions of a process: `settle` commits a batch for the core.

    `host` is where the core is, and `capacity` keeps its outbox within bounds.
    """

    host: str
    settle: Callable[[Sequence[Work], OnLocksAcquired | None], Awaitable[list[Result]]]
    capacity: CoreCapacity
    waiting: Waiting
    wait: timedelta

    def forwarding(self, committer: Committer) -> Forwarding:
        """Return what submits messages: they are committed, and then wait for the core's answers."""
        return Forwarding(committer, self.waiting, self.capacity, self.wait)


def remote_core(
    chosen: tuple[str, Core],
    destinations: ConfiguredDestinations,
    store: Store,
    environment: Environment,
    *,
    health: CommitHealth,
    wake: Callable[[], None],
    metrics: Metrics,
    journal: Journal | None = None,
) -> CoreConnection:
    """Connect the destination of the core with what waits for its answers."""
    name, settings = chosen
    destination = destinations.by_name[name]
    if not isinstance(destination, CoreDestination):
        raise TypeError(f"destination `{name}` is not a core")
    waiting = Waiting()
    answers = Answers(
        store, waiting, destinations.recipients, clock=environment.clock, wake=wake, metrics=metrics
    )
    destination.take = answers.take
    transactions = ForwardTransactions(
        store, environment, name, destination.timeout, health=health, wake=wake, journal=journal
    )
    return CoreConnection(
        host=destination.host,
        settle=transactions.settle,
        capacity=CoreCapacity(store, settings.max_waiting),
        waiting=waiting,
        wait=timedelta(milliseconds=settings.wait_ms),
    )
