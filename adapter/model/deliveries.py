"""The outbox: one entry for each event and destination, with the state of its delivery."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import UNSET, Raw, Struct, UnsetType, field

from adapter.model.customers import Customer
from adapter.model.discounts import Discount, DiscountRecord
from adapter.model.encoding import decode
from adapter.model.environments import DEVELOPMENT

#: Leases of one round, more than are ever made: a dead delivery that is sent again starts the next round,
#: so that the lease of an attempt of an earlier round is fenced off.
ROUND: Final = 1_000
#: How many attempts of a delivery are remembered.
KEPT: Final = 12

DeliveryStatus = Literal["due", "done", "dead"]
#: Statuses of deliveries that can be made due now.
DEAD: Final[tuple[DeliveryStatus, ...]] = ("dead",)
WAITING: Final[tuple[DeliveryStatus, ...]] = ("due",)
UNSENT: Final[tuple[DeliveryStatus, ...]] = ("dead", "due")


class OutboxEvent(Struct, frozen=True):
    """An event: its type, as `discount.issued`, its time, and the discount or redemption at that time.

    `order_id` and `currency` are those of a discount, where they are known and `data` does not have them.
    `environment` is there for development traffic alone. `version` rises with each event about the same
    discount, redemption or customer; an event that occurred has none.
    """

    type: str
    timestamp: datetime
    data: Any
    order_id: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    environment: Literal["development"] | UnsetType = UNSET
    version: int | UnsetType = UNSET

    @classmethod
    def about(cls, type_: str, now: datetime, held: DiscountRecord) -> OutboxEvent:
        """Return an event about a discount."""
        currencies = [each.action.currency for each in held.discount.benefits]
        currency = held.terms.currency if None in currencies else None
        return cls(
            type_,
            now,
            held.discount,
            order_id=held.order_id or UNSET,
            currency=currency or UNSET,
            environment=DEVELOPMENT if held.is_development else UNSET,
            version=held.version,
        )


class DiscountEvent(Struct, frozen=True):
    """An event about a discount; the members are those of `OutboxEvent`."""

    type: str
    timestamp: datetime
    data: Discount
    order_id: str | None = None
    currency: str | None = None
    environment: Literal["development"] | None = None


class Recipients(Struct):
    """The destinations by name, each with the types of events that it receives; without any, all types.

    Events of development traffic go only to those in `development`, events without a customer not to those
    in `of_customers`. A reload of the destinations changes them, between two decisions.
    """

    events: Mapping[str, Collection[str]] = {}
    development: Collection[str] = frozenset()
    of_customers: Collection[str] = frozenset()

    @classmethod
    def of_everything(cls, names: Iterable[str]) -> Recipients:
        """Return destinations that receive all events."""
        return cls(dict.fromkeys(names, ()))

    def of(self, event_type: str, push: Collection[str] | UnsetType = UNSET) -> list[str]:
        """Return which of them receive an event; only those in `push` where that is given."""
        return [
            name
            for name, types in self.events.items()
            if (not types or event_type in types) and (push is UNSET or name in push)
        ]

    def follow(self, other: Recipients) -> None:
        """Become like the other."""
        self.events, self.development = other.events, other.development
        self.of_customers = other.of_customers

    def held_back(self, names: Iterable[str]) -> list[str]:
        """Return which of them receive no events of development traffic."""
        return [name for name in names if name not in self.development]


class Rendered(Struct, frozen=True):
    """The body rendered by a destination of the type `by`; None where it equals the stored event."""

    by: str
    body: Raw | None = None


class PastAttempt(Struct, frozen=True, omit_defaults=True):
    """An attempt that was made: when, under which number, and the status and first words of the answer."""

    at: datetime
    attempt: int
    status: int | None = None
    error: str | None = None
    answer: str = ""


class Past(Struct, frozen=True, omit_defaults=True):
    """The latest attempts of a delivery, oldest first, and how many of a round count.

    A lease without a result is no attempt: its process was killed, and may not have sent anything.
    """

    latest: tuple[PastAttempt, ...] = ()
    round: int = 0
    counted: int = 0

    def followed_by(self, made: PastAttempt, *, counted: bool = True) -> Past:
        """Return it with one more attempt; of many the oldest is forgotten."""
        current = made.attempt // ROUND
        return Past((*self.latest, made)[-KEPT:], current, self.of_round(current) + counted)

    def of_round(self, round_: int) -> int:
        """Return how many attempts of a round count."""
        return self.counted if self.round == round_ else 0


class Holder(Struct, frozen=True):
    """The customer of a delivery as stored when it is leased, None where nothing is known of them.

    `codes` are those of the discounts that they can use, sorted; those issued for development traffic are
    apart.
    """

    customer: Customer | None = None
    codes: tuple[str, ...] = ()
    development_codes: tuple[str, ...] = ()

    def codes_of(self, *, development: bool) -> tuple[str, ...]:
        """Return the codes of one environment."""
        return self.development_codes if development else self.codes


class Delivery(Struct, frozen=True):
    """One outbox entry on its way to one destination.

    `id` is constant over all attempts (the receiver's idempotency key). `event` is the JSON of an
    `OutboxEvent`, and `rendered` the body that the destination rendered at the first attempt, for all
    attempts. `past` has the attempts that were made. `attempt` counts leases and fences them: only the holder
    of the latest lease may record a result. After `not_after` the delivery is not sent any more (the discount
    has expired). `holder` is read with the lease for destinations that render it, and is never stored.
    """

    id: str
    destination: str
    source_id: str
    type: str
    event: Raw = field(name="body")
    created_at: datetime
    due_at: datetime
    attempt: int = 0
    status: DeliveryStatus = "due"
    not_after: datetime | None = None
    last_error: str | None = None
    rendered: Rendered | UnsetType = UNSET
    past: Past = Past()
    holder: Holder | UnsetType = UNSET

    @property
    def body(self) -> bytes:
        """The bytes that are sent: the rendered body, or else the stored event."""
        rendered = self.rendered
        return bytes(self.event if rendered is UNSET or rendered.body is None else rendered.body)

    def discount_event(self) -> DiscountEvent:
        """Return the event; raises msgspec.ValidationError where it is not about a discount."""
        return decode(bytes(self.event), DiscountEvent)

    @property
    def tries(self) -> int:
        """The number of attempts of the current round that were made and count.

        Of one whose attempts are not remembered, because older programs made them, the number of its leases.
        """
        current = self.attempt // ROUND
        known = self.past.round == current and self.past.latest
        return self.past.counted if known else self.attempt % ROUND


class Selection(Struct, frozen=True, kw_only=True):
    """Which deliveries are meant: those that meet all that is given.

    `error` is a part of the last error, and the delivery was made from `since` on and before `until`.
    """

    ids: tuple[str, ...] | None = None
    destination: str | None = None
    type: str | None = None
    error: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING: Final = Selection()


class Pause(Struct, frozen=True):
    """A time in which nothing is sent to a destination, at its request; `reason` is its response."""

    destination: str
    since: datetime
    until: datetime
    reason: str
