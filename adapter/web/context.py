"""What handlers and endpoints use: the services, the settings, the metrics, the clock and shared budgets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from adapter.errors import RemoteCore
from adapter.metrics import Metrics
from adapter.services.bulk.dump import Dump, DumpKind, Filters
from adapter.services.bulk.uploads import Uploads
from adapter.services.checkout.service import CheckoutService
from adapter.services.core.evaluate import Evaluate
from adapter.services.delivery.retries import Retries
from adapter.services.discounts import DiscountService
from adapter.services.dry_runs.service import DryRuns
from adapter.services.figures import RuleFiguresReader
from adapter.services.health import Health
from adapter.services.ingest.pipeline import Ingest
from adapter.services.privacy.requests import Privacy
from adapter.services.quarantine_removal import QuarantineRemoved, RemovalFilter
from adapter.services.replay import Replayed, ReplayOptions
from adapter.services.revocations import Revocations
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Bounds
from adapter.web.admission import LARGE, MemoryBudget
from adapter.web.in_force import InForce

T = TypeVar("T")


class RemoveQuarantined(Protocol):
    """Deletes quarantined messages with a reason."""

    async def __call__(self, which: RemovalFilter, reason: str, *, dry_run: bool) -> QuarantineRemoved:
        """Return how many were deleted; raises Unreadable."""
        ...


class WebContext(Struct, frozen=True):
    """The services and values that handlers use. `clock` returns the current time in UTC.

    A reload replaces what `in_force` has, and then every endpoint is built anew. `lifespan` is entered before
    the first request and left after the last. `core_host` is the host of the remote core, empty where this
    process decides. All request bodies share `body_budget`, and all long responses `response_budget`.
    """

    ingest: Ingest
    evaluate: Evaluate
    dry_runs: DryRuns
    discounts: DiscountService
    checkout: CheckoutService
    privacy: Privacy
    deliveries: Retries
    revocations: Revocations
    figures: RuleFiguresReader
    imports: Uploads
    dumps: Callable[[DumpKind, Filters], Dump]
    replays: Callable[[ReplayOptions], AsyncIterator[Replayed]]
    quarantine_removal: RemoveQuarantined
    health: Health
    in_force: InForce
    metrics: Metrics
    clock: Callable[[], datetime]
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    core_host: str = ""
    body_budget: MemoryBudget = field(default_factory=MemoryBudget)
    response_budget: MemoryBudget = field(default_factory=MemoryBudget)
    counts: dict[str, Any] = field(default_factory=dict)

    def counts_of(self, name: str, make: Callable[[Metrics], T]) -> T:
        """Return the counts of a name, which remain when endpoints are built anew; `make` makes them once."""
        if name not in self.counts:
            self.counts[name] = make(self.metrics)
        found: T = self.counts[name]
        return found

    @property
    def settings(self) -> Settings:
        """The settings in force; read them once for each request."""
        return self.in_force.settings

    @property
    def bounds(self) -> Bounds:
        """The maximum size of one message."""
        return Bounds(self.settings.ingest.max_event_bytes)

    @property
    def slice_threshold(self) -> int:
        """The bytes from which a body is decoded in slices; no message of a shorter one exceeds `bounds`."""
        return min(LARGE, self.settings.ingest.max_event_bytes)

    def require_core(self) -> None:
        """Raise RemoteCore where another instance decides."""
        if self.core_host:
            raise RemoteCore(f"the core answers this call, at `{self.core_host}`: send it there")

    @property
    def auth_disabled(self) -> bool:
        """Whether no secret is set and only this machine can connect: then no credential is required."""
        return self.settings.server.loopback and not self.settings.auth_enabled
