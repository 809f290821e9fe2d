"""What a mapping yields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from adapter.model.events import Event


class CustomerUpsert(Struct, frozen=True, tag_field="action", tag="customer.upsert"):
    """Facts about one customer; only what is given changes.

    `fields` holds standard fields (name, email, phone, birthdate, description, address), `removed_fields` the
    names of some, or of parts (`address.city`), `identities` kind to value; an unknown visitor's operations
    carry their anonymous id as `source_id` too. `misfits` says what does not fit the shop's data model and
    was kept all the same.
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

    An event that is `undated` happened at or before its moment, perhaps long before.
    """

    source_id: str
    event: Event
    identities: dict[str, str] = {}
    misfits: tuple[str, ...] = ()
    undated: bool = False


class CustomerMerge(Struct, frozen=True, tag_field="action", tag="customer.merge"):
    """`previous_id` (a source_id or a linking identity) turns out to be `source_id`.

    `source_id` is a customer's own key, unless it is among the `identities`: then it is an unknown visitor's.
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
    """Everything held of this customer must go."""

    source_id: str


class DiscountMove(Struct, frozen=True, tag_field="action", tag="discount"):
    """A discount moves along its life; `source_id` and `order_id` where the caller knows them.

    `units`, above 0, redeem a part of a discount that is counted in units; without them all that is left.
    `expire` is the sweep's: it writes down an expiry that time has brought about, and frees what it held.
    """

    verb: Literal["apply", "release", "redeem", "revoke", "expire"]
    code: str
    source_id: str | None = None
    order_id: str | None = None
    reason: str | None = None
    units: Decimal | None = None


Operation = CustomerUpsert | EventOccurred | CustomerMerge | CustomerGroup | CustomerErase | DiscountMove
