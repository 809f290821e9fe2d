"""What the web is built on: the services it calls, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct, field

from adapter.metrics import Metrics
from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Pause
from adapter.model.discounts import Discount
from adapter.model.erasures import Receipt
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.operations import DiscountMove
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import Excerpt, Quarantined
from adapter.services.delivery.retries import Retried
from adapter.services.health import Check
from adapter.services.ingest.result import Result
from adapter.settings.values import Settings
from adapter.sources.decoded_body import Bounds, Decoded
from adapter.sources.opendsr import Certificate
from adapter.web.admission import LARGE, Room


class Ingest(Protocol):
    """Takes decoded messages (`adapter.services.ingest.pipeline`)."""

    async def receive(self, decoded: Decoded, size: int = 0) -> list[Result]:
        """Settle them durably; raises Unavailable when they should be sent again."""
        ...

    async def receive_parts(self, parts: Iterable[Decoded]) -> list[Result]:
        """Settle a long body part by part, each decoded when its turn comes; raises as `receive` does."""
        ...


class Checkout(Protocol):
    """Reads and moves discounts (`adapter.services.discounts`)."""

    async def move(self, move: DiscountMove, idempotency_key: str | None = None) -> Discount:
        """Move a discount; raises NotFound, WrongMove or Unavailable."""
        ...

    async def discount(self, code: str) -> Discount:
        """Return a discount; raises NotFound."""
        ...

    async def discounts(self, source_id: str, before: str | None = None) -> Page[Discount]:
        """Return a page of a customer's discounts, newest first."""
        ...

    async def pending_moves(self, source_id: str) -> list[PendingMove]:
        """Return the moves by a customer that wait for a merge, or were refused after one."""
        ...

    async def pending_moves_of(self, code: str) -> list[PendingMove]:
        """Return the moves of a discount that wait, or were refused after they had; raises NotFound."""
        ...

    async def customer(self, source_id: str) -> Customer:
        """Return a customer; raises NotFound."""
        ...

    async def events(self, source_id: str, before: str | None = None) -> Page[Event]:
        """Return a page of a customer's events, latest first."""
        ...

    async def decisions(self, source_id: str, before: str | None = None) -> Page[Decision]:
        """Return a page of a customer's decisions, newest first."""
        ...

    async def decisions_on(self, source_id: str, event_id: str) -> list[Decision]:
        """Return the decisions on one event, with a sentence for every rule."""
        ...

    async def quarantined_of(self, source_id: str) -> list[Excerpt]:
        """Return the latest quarantined messages that name a customer."""
        ...

    async def ignored(self) -> list[Ignored]:
        """Return which messages no mapping takes, the latest first."""
        ...

    async def quarantined(self, before: int | None = None) -> list[Excerpt]:
        """Return the latest quarantined messages, or the latest of those with an id below `before`."""
        ...

    async def quarantined_message(self, id_: int) -> Quarantined:
        """Return a quarantined message, whole; raises NotFound."""
        ...


class Deliveries(Protocol):
    """Shows pauses of destinations and ends them (`adapter.services.delivery.retries`)."""

    async def pauses(self) -> list[Pause]:
        """Return which destinations are sent nothing now, until when, and why."""
        ...

    async def retry_all(self, destination: str | None = None) -> Retried:
        """Make dead deliveries due and end pauses; raises NotFound."""
        ...


class Privacy(Protocol):
    """Erases and exports (`adapter.services.privacy.requests`)."""

    async def erase(self, source_id: str, by: str = "api", request: str = "") -> Receipt:
        """Remove all that is held of a person; raises Unavailable when it should be tried again."""
        ...

    async def erase_address(self, email: str, by: str = "api", request: str = "") -> Any:
        """Remove who holds an email address, and it wherever it stands; raises as `erase` does."""
        ...

    def export(self, source_id: str) -> AsyncIterator[bytes]:
        """Yield all that is held of a person, as JSON; raises NotFound before the first piece."""
        ...


class Health(Protocol):
    """Says whether this process can take messages (`adapter.services.health`)."""

    async def ready(self) -> Sequence[Check]:
        """Return every check."""
        ...


class WebContext(Struct, frozen=True):
    """Everything that an endpoint may use. `clock` returns the moment now, in UTC.

    `lifespan` is entered before the first request and left after the last. `opendsr` proves
    data subject requests; `room` is what arriving bodies share, `answers` what long answers do.
    """

    ingest: Ingest
    checkout: Checkout
    privacy: Privacy
    deliveries: Deliveries
    health: Health
    settings: Settings
    metrics: Metrics
    clock: Callable[[], datetime]
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    opendsr: Certificate | None = None
    room: Room = field(default_factory=Room)
    answers: Room = field(default_factory=Room)

    @property
    def bounds(self) -> Bounds:
        """How large one message may be."""
        return Bounds(self.settings.ingest.max_event_bytes)

    @property
    def long(self) -> int:
        """From how many bytes on a body is taken slice by slice; below it, no message is over the bound."""
        return min(LARGE, self.settings.ingest.max_event_bytes)

    @property
    def auth_disabled(self) -> bool:
        """Whether no secret is set and only this machine can connect: then no credential is asked for."""
        return self.settings.server.loopback and not self.settings.auth_enabled
