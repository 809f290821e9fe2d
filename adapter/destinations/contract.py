"""What every destination guarantees, and the record by which its type is registered."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, runtime_checkable

from msgspec import Raw, Struct

from adapter.model.deliveries import Delivery
from adapter.settings.destinations.base import DestinationSettings

#: How many bytes of an answer are kept for the operator.
ANSWER_BYTES: Final = 512


class Attempt(Struct, frozen=True):
    """The result of one attempt.

    `retry_after` is how long the destination asked for a pause, and `cut` says that it asked for a longer
    one. `gone` says that it no longer takes deliveries. `error` is one sentence for the operator, without
    secrets or payload. `status` and `answer` are the HTTP status and the first bytes of the answer's body,
    where there was one. An attempt that is not `counted` uses up none of the ten: the destination asked to
    come back later. After a `final` one the delivery is given up at once, because sending it again could not
    help.
    """

    ok: bool
    retry_after: timedelta | None = None
    cut: bool = False
    gone: bool = False
    error: str | None = None
    status: int | None = None
    answer: bytes = b""
    counted: bool = True
    final: bool = False


class BatchLimits(Struct, frozen=True):
    """How many deliveries one request takes, and how many bytes their bodies may have together.

    A delivery that is larger alone is sent in a request of its own.
    """

    most: int = 1
    most_bytes: int = 1_000_000


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

    @property
    def batch(self) -> BatchLimits:
        """What one call of `send` may be given."""
        ...

    def render(self, delivery: Delivery) -> Raw | None:
        """Return the JSON that each attempt sends; None where that is `delivery.event` as it is stored.

        Called at the first attempt, before anything is sent; the result is stored and never rendered again.
        It runs in the transaction of the lease, in any thread: no I/O, and nothing but the delivery and the
        settings decides. An exception ends the delivery.
        """
        ...

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send the `body` of each delivery once, in bounded time; return an attempt for each, in their order.

        Errors of the network and of the receiver are returned, never raised.
        """
        ...


@runtime_checkable
class AboutCustomers(Protocol):
    """A destination that names the customer of each event: it gets no events without a customer.

    Its `render` finds the customer in `delivery.holder`, as they were at the first lease.
    """

    @property
    def with_codes(self) -> bool:
        """Whether it renders the codes that the customer can use, too."""
        ...


@runtime_checkable
class Testable(Protocol):
    """A destination that can be tried without a delivery."""

    async def test(self, now: datetime) -> Attempt:
        """Send something harmless, or test the credentials, in bounded time; errors are returned."""
        ...


@runtime_checkable
class Costly(Protocol):
    """A destination that makes several calls for one delivery."""

    def calls(self, delivery: Delivery) -> int:
        """Return the most calls that the next attempt makes, by which quotas are counted."""
        ...


@runtime_checkable
class Combining(Protocol):
    """A destination where of several deliveries that set the same state only the latest matters."""

    def state(self, delivery: Delivery) -> str | None:
        """Return which state of its customer a delivery sets; None for one that is always sent.

        It may not be rendered yet.
        """
        ...


@runtime_checkable
class Succeeding(Protocol):
    """A destination that other parts of the process are connected to, also when it is exchanged."""

    def succeed(self, before: Destination) -> None:
        """Take over the connections of the destination that this one replaces."""
        ...


class Told(Struct, frozen=True):
    """What the operator must do, one sentence: the destination has no call for it."""

    sentence: str


@runtime_checkable
class Erasing(Protocol):
    """A destination that takes customers, and so must be sent their erasure."""

    async def erase(
        self, source_id: str, identities: Sequence[tuple[str, str]], now: datetime
    ) -> Attempt | Told:
        """Erase a customer there, known by `source_id` and (type, value) identities; errors are returned."""
        ...


class Manner(Struct, frozen=True, kw_only=True):
    """How deliveries are sent to a destination, as its settings say, whatever its type.

    `ordered`: the deliveries of one customer one after the other, in their order, unless more than
    `order_limit` of them wait. `concurrency` is the most requests at a time. `per_minute` and `per_month`
    are the most calls, `per_second` the most deliveries, fewer after a pause if it `starts_slowly`. 0 is no
    limit.
    """

    ordered: bool = False
    order_limit: int = 0
    concurrency: int = 8
    per_second: int = 0
    starts_slowly: bool = False
    per_minute: int = 0
    per_month: int = 0


class Configured(Struct, frozen=True):
    """A destination, and the HTTP client that it sends through: opened before it is used, closed after."""

    destination: Destination
    client: AbstractAsyncContextManager[Any]


class DestinationClass(Protocol):
    """The class of a type of destination: called with a name, the settings of its type, and a client."""

    @property
    def settings_type(self) -> type[DestinationSettings]:
        """The settings that it takes."""
        ...

    def __call__(self, name: str, settings: Any, client: Any, /) -> Destination:
        """Build a destination; raises ValueError for settings that cannot work."""
        ...
