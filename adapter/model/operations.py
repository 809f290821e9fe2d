"""The operations that a mapping produces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from adapter.model.events import Event


class CustomerUpsert(Struct, frozen=True, tag_field="action", tag="customer.upsert"):
    """Facts about one customer; all other facts are unchanged.

    `fields` holds standard fields (name, email, phone, birthdate, description, address), `removed_fields` the
    names of some, or of parts (`address.city`), `identities` kind to value. The operations of an anonymous
    visitor have the anonymous id as `source_id` too. `misfits` are the violations of the shop's data model
    whose values were stored unchanged.
    """

    source_id: str
    identities: dict[str, str] = {}
    fields: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    removed_traits: tuple[str, ...] = ()
    removed_fields: tuple[str, ...] = ()
    joined_segments: tuple[str, ...] = ()
    left_segments: tuple[str, ...] = ()
    misfits: tuple[str, ...] = ()


class EventOccurred(Struct, frozen=True, tag_field="action", tag="event"):
    """One event of one customer; `misfits` as of `CustomerUpsert`.

    An `undated` event occurred at or before `occurred_at`, perhaps long before.
    """

    source_id: str
    event: Event
    identities: dict[str, str] = {}
    misfits: tuple[str, ...] = ()
    undated: bool = False


class CustomerMerge(Struct, frozen=True, tag_field="action", tag="customer.merge"):
    """`previous_id` (a source_id or a linking identity) is the same person as `source_id`.

    `source_id` is the key of a known customer, or of an anonymous visitor if it is among the `identities`.
    """

    source_id: str
    previous_id: str
    identities: dict[str, str] = {}


class CustomerGroup(Struct, frozen=True, tag_field="action", tag="customer.group"):
    """The customer belongs to a group; `traits` are the group's."""

    source_id: str
    group_id: str
    traits: dict[str, Any] = {}
    identities: dict[str, str] = {}


class CustomerErase(Struct, frozen=True, tag_field="action", tag="customer.erase"):
    """Erase all data of this customer."""

    source_id: str


class DiscountMove(Struct, frozen=True, tag_field="action", tag="discount"):
    """A transition in the lifecycle of a discount; `source_id` and `order_id` where the caller knows them.

    `units`, above 0, redeem a part of a discount that is counted in units; the default is the remainder.
    `unit_type` says of which units, where a code has several benefits.
    `expire` comes from the sweep: it records an expiry and releases the counter reservations.
    """

    verb: Literal["apply", "release", "redeem", "revoke", "expire"]
    code: str
    source_id: str | None = None
    order_id: str | None = None
    reason: str | None = None
    units: Decimal | None = None
    unit_type: str | None = None


class OrderRedemption(Struct, frozen=True, tag_field="action", tag="order.redeem"):
    """A completed order with its lines, for the discounts that the moves of the same message redeem.

    `order` is a document as the checkout takes it.
    """

    order_id: str
    codes: tuple[str, ...]
    order: dict[str, Any]
    source_id: str | None = None


class OrderRollback(Struct, frozen=True, tag_field="action", tag="discount.rollback"):
    """An order was cancelled or refunded: its redemptions are rolled back, and what it earned is revoked.

    `lines` are the units that come back, each with `id` and `quantity`; without them all of the order does.
    """

    order_id: str
    source_id: str | None = None
    lines: tuple[dict[str, Any], ...] = ()
    reason: str | None = None


#: What the checkout books, before and after the other operations of a message.
OrderOperation = OrderRedemption | OrderRollback

Operation = (
    CustomerUpsert
    | EventOccurred
    | CustomerMerge
    | CustomerGroup
    | CustomerErase
    | DiscountMove
    | OrderOperation
)
