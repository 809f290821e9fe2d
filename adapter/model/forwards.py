"""What destinations are sent besides discounts: the newest state of customers, and their events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from adapter.model.customers import Customer
from adapter.model.encoding import decode
from adapter.model.events import Event

#: The types of their entries in the outbox.
CUSTOMER_UPDATED = "customer.updated"
EVENT_OCCURRED = "event.occurred"


class ForwardTo(Struct, frozen=True, kw_only=True):
    """What one destination is forwarded: `interval` is the time in which changes of a customer become one.

    Customers who have only an anonymous id, and development traffic, are forwarded only where it says so.
    """

    customers: bool = False
    events: bool = False
    interval: timedelta = timedelta(0)
    anonymous: bool = False
    development: bool = False


class ForwardedCustomer(Struct, frozen=True, omit_defaults=True):
    """The state of a customer, without the adapter's bookkeeping.

    `merged` has the ids of customers that were merged into this one.
    """

    source_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    birthdate: str | None = None
    description: str | None = None
    address: dict[str, Any] | None = None
    traits: dict[str, Any] = {}
    identities: dict[str, str] = {}
    segments: tuple[str, ...] = ()
    groups: dict[str, dict[str, Any]] = {}
    merged: tuple[str, ...] = ()

    @classmethod
    def of(cls, customer: Customer) -> ForwardedCustomer:
        """Return what is forwarded of a customer."""
        return cls(*[getattr(customer, name) for name in cls.__struct_fields__])


class ForwardedEvent(Struct, frozen=True):
    """An event, and the customer whose it is."""

    source_id: str
    event: Event


class CustomerUpdated(Struct, frozen=True):
    """The outbox event of type `customer.updated`."""

    type: str
    timestamp: datetime
    data: ForwardedCustomer


class EventForwarded(Struct, frozen=True):
    """The outbox event of type `event.occurred`."""

    type: str
    timestamp: datetime
    data: ForwardedEvent


def read_customer_updated(body: bytes) -> ForwardedCustomer:
    """Return the customer of an outbox event; raises msgspec.ValidationError where it has none."""
    return decode(body, CustomerUpdated).data


def read_event_occurred(body: bytes) -> ForwardedEvent:
    """Return the event of an outbox event; raises msgspec.ValidationError where it has none."""
    return decode(body, EventForwarded).data
