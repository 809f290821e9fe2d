"""What every destination guarantees, and the record by which its type is registered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Raw, Struct

from adapter.model.deliveries import Delivery


class Attempt(Struct, frozen=True):
    """The result of one attempt.

    `retry_after` is how long the destination asked for a pause. `gone` says that it wants no deliveries any
    more. `error` is one sentence for the operator, without secrets or payload.
    """

    ok: bool
    retry_after: timedelta | None = None
    gone: bool = False
    error: str | None = None


class Destination(Protocol):
    """One place to which deliveries are sent."""

    @property
    def name(self) -> str:
        """The name in the settings, under which deliveries are stored."""
        ...

    @property
    def type(self) -> str:
        """The name of its type in the registry, stored with what it renders."""
        ...

    @property
    def timeout(self) -> timedelta:
        """The longest that one attempt takes."""
        ...

    def render(self, delivery: Delivery) -> Raw | None:
        """Return the JSON that each attempt sends; None where that is `delivery.event` as it is stored.

        Called at the first attempt, before anything is sent; the result is stored and never rendered again.
        It runs in the transaction of the lease, in any thread: no I/O, and nothing but the delivery and the
        settings decides. An exception ends the delivery.
        """
        ...

    async def send(self, delivery: Delivery, now: datetime) -> Attempt:
        """Send `delivery.body` once, in bounded time.

        Errors of the network and of the receiver are returned, never raised.
        """
        ...


class Configured(Struct, frozen=True):
    """A destination, and the HTTP client that it sends through: opened before it is used, closed after."""

    destination: Destination
    client: AbstractAsyncContextManager[Any]


#: Builds a destination of a type: from its name, and the section of the settings that belongs to the type.
Build = Callable[[str, Any], Configured]
