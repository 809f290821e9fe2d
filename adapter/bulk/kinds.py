"""The columns of each kind of rows, Voucherify's templates among them."""

from __future__ import annotations

from adapter.bulk.headers import Kind

_ADDRESS = {
    "address_line_1": "line_1", "address_line_2": "line_2", "city": "city", "address_city": "city",
    "postal_code": "postal_code", "address_postal_code": "postal_code", "state": "state",
    "address_state": "state", "country": "country", "address_country": "country",
}  # fmt: skip
_CUSTOMER = ("source_id", "sourceid", "customer_id", "user_id", "userid", "user")
_USER = (*_CUSTOMER, "customer")

CUSTOMERS = Kind(
    name="customers",
    aliases={
        **dict.fromkeys(_CUSTOMER, ("source_id",)),
        **{name: ("fields", name) for name in ("name", "email", "phone", "birthdate", "description")},
        "birthday": ("fields", "birthdate"),
        **{name: ("address", part) for name, part in _ADDRESS.items()},
        "updated_at": ("updated_at",),
        "segments": ("segments",),
        "told_at": ("told_at",),
        "groups": ("groups",),
        "merged": ("merged",),
        "known_as": ("known_as",),
    },
    roots={
        "metadata": "traits", "traits": "traits", "address": "address", "identities": "identities",
        "segments": "segments",
    },
    rest="traits",
    needed={"source_id": "write `source_id` over the column with the ids of customers"},
    ignored=frozenset({"id", "object"}),
)  # fmt: skip
EVENTS = Kind(
    name="events",
    aliases={
        "id": ("id",), "event_id": ("id",), "message_id": ("id",), "messageid": ("id",),
        "name": ("name",), "event": ("name",), "event_name": ("name",),
        **dict.fromkeys(_USER, ("source_id",)),
        **dict.fromkeys(("occurred_at", "timestamp", "time", "created_at"), ("occurred_at",)),
        "user.id": ("user", "id"), "user.email": ("user", "email"), "user.device_id": ("user", "device_id"),
        "user.session_id": ("user", "session_id"), "user.anonymous_id": ("user", "anonymous_id"),
        "import.identity": ("identity",),
    },
    roots={
        "attributes": "attributes", "properties": "attributes", "context": "context", "user": "user",
        "metadata": "attributes",
    },
    rest="attributes",
    needed={
        "name": "write `name` over the column with the names of events",
        "source_id": "write `user` over the column with the ids of customers",
    },
    instead=frozenset({("user", "id")}),
)  # fmt: skip
DISCOUNTS = Kind(
    name="discounts",
    aliases={
        "code": ("code",),
        **dict.fromkeys(_USER, ("source_id",)),
        "rule": ("rule",), "campaign": ("rule",),
        "event_id": ("event_id",), "issued_for_event_id": ("event_id",),
        "status": ("status",), "action": ("action",), "action_type": ("type",), "type": ("type",),
        "discount_type": ("type",), "voucher_type": ("voucher_type",), "value": ("value",),
        "issued_at": ("issued_at",), "created_at": ("issued_at",), "moved_at": ("moved_at",),
        "expires_at": ("expires_at",), "expiration_date": ("expires_at",),
        "stackable": ("stackable",), "order_id": ("order_id",), "reason": ("reason",),
        "record": ("record",), "currency": ("currency",),
    },
    roots={"metadata": "metadata", "action": "action"},
    rest="metadata",
    needed={
        "code": "write `code` over the column with the codes",
        "source_id": "write `source_id` over the column with the ids of customers",
    },
)  # fmt: skip
CODES = Kind(
    name="codes",
    aliases={
        "code": ("code",), "voucher_type": ("voucher_type",), "discount_type": ("type",), "value": ("value",),
        "gift_amount": ("gift_amount",), "loyalty_points": ("loyalty_points",),
        "start_date": ("starts_at",), "expiration_date": ("expires_at",), "expires_at": ("expires_at",),
        "active": ("active",), "category": ("category",), "redemption_limit": ("limit",),
        "redeemed_quantity": ("redeemed",), "pool": ("pool",), "currency": ("currency",),
        **dict.fromkeys(("balance", "gift_balance"), ("balance",)), "stackable": ("stackable",),
        **dict.fromkeys((*_USER, "holder", "email", "phone"), ("person",)),
    },
    roots={"metadata": "metadata"},
    rest="metadata",
    needed={"code": "write `code` over the column with the codes"},
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in (CUSTOMERS, EVENTS, DISCOUNTS, CODES)}
