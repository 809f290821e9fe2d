"""The tables of customers and of what the pipeline of messages stores for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from adapter.model.deliveries import Delivery
from adapter.model.discounts import DiscountRecord
from adapter.model.timers import Timer
from adapter.store.forwarding_values import SentTo
from adapter.store.outbox_rows import read_delivery
from adapter.store.owners import given_to
from adapter.store.rows import read_held, read_pending, read_timer
from adapter.store.tables.description import (
    Anonymise,
    Combine,
    CustomerRows,
    Delete,
    DeletedWith,
    Fold,
    Listed,
    Member,
    Move,
    NotExported,
    Purge,
    Redact,
    Rewrite,
    Table,
    columns,
)


def _discount(row: Sequence[Any], key: str, source_id: str) -> DiscountRecord:
    return given_to(read_held(row[0]), {key: source_id})


def _delivery(row: Sequence[Any], _key: str, source_id: str) -> Delivery:
    return replace(read_delivery(row), source_id=source_id)


def _timer(row: Sequence[Any], _key: str, source_id: str) -> Timer:
    return replace(read_timer(row), source_id=source_id)


MESSAGES = Table(
    name="messages",
    columns=columns(digest="bytes", seen_at="number", answer="bytes", owner="text", content="bytes"),
    key=("digest",),
    rows=CustomerRows(
        column="owner",
        merge=Move(),
        erase=Anonymise({"answer": "NULL", "owner": "''"}, counted="answers"),
        export=NotExported("the answers repeat discounts, which are exported"),
        kept="30 days; for ever if a discount was issued for the message",
        redact=Redact(("answer",), ("digest",)),
    ),
)
CUSTOMERS = Table(
    name="customers",
    columns=columns(source_id="text", body="bytes", history="bytes"),
    key=("source_id",),
    rows=CustomerRows(
        merge=Fold(), erase=Delete(counted="customers"), export=Member("customer"), weighed=False
    ),
)
IDENTITIES = Table(
    name="identities",
    columns=columns(kind="text", value="text", source_id="text"),
    key=("kind", "value"),
    rows=CustomerRows(merge=Move(), erase=Delete(counted="identities"), export=Member("names")),
)
DISCOUNTS = Table(
    name="discounts",
    columns=columns(
        number="number",
        code="text",
        source_id="text",
        event_id="text",
        issued_at="number",
        expires_at="number",
        open="boolean",
        body="bytes",
    ),
    key=("source_id", "code"),
    sqlite_key=("number",),
    rows=CustomerRows(
        merge=Rewrite(),
        erase=Delete(counted="discounts"),
        export=Listed("discounts", ("body",), ("issued_at", "code"), _discount),
        redact=Redact(("event_id", "body"), ("code",), ("issued_at", "number")),
    ),
)
CODES = Table(
    name="codes",
    columns=columns(code="text", source_id="text"),
    key=("code",),
    engine="postgres",
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(),
        export=NotExported("an index of discounts"),
        weighed=False,
    ),
)
EVENTS = Table(
    name="events",
    columns=columns(source_id="text", occurred_at="number", event_id="text", identity="bytes", body="bytes"),
    key=("source_id", "occurred_at", "event_id", "identity"),
    rows=CustomerRows(
        merge=Combine("move_events", returned="body"),
        erase=Delete(counted="events"),
        export=Member("events"),
        purge=Purge("events", "occurred_at", number="id"),
        redact=Redact(("body",), ("occurred_at", "event_id", "identity")),
    ),
)
DECISIONS = Table(
    name="decisions",
    columns=columns(number="number", source_id="text", decided_at="number", body="bytes"),
    key=("source_id", "decided_at", "number"),
    sqlite_key=("number",),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(counted="decisions"),
        export=Member("decisions"),
        purge=Purge("decisions", "decided_at"),
        redact=Redact(("body",), ("decided_at", "number")),
    ),
)
DELIVERIES = Table(
    name="deliveries",
    columns=columns(
        number="number",
        id="text",
        destination="text",
        source_id="text",
        type="text",
        body="bytes",
        created_at="number",
        due_at="number",
        visible_at="number",
        attempt="number",
        status="text",
        not_after="number",
        last_error="text",
        rendered_by="text",
        rendered="bytes",
        attempts="bytes",
    ),
    key=("source_id", "id"),
    sqlite_key=("number",),
    rows=CustomerRows(
        merge=Move(),
        erase=Delete(counted="deliveries"),
        export=Listed(
            "deliveries",
            (
                "id",
                "destination",
                "source_id",
                "type",
                "body",
                "created_at",
                "due_at",
                "attempt",
                "status",
                "not_after",
                "last_error",
                "rendered_by",
                "rendered",
                "attempts",
            ),
            ("number",),
            _delivery,
        ),
        purge=Purge("deliveries", "created_at", condition="status <> 'due'"),
        redact=Redact(("body", "rendered", "last_error", "attempts"), ("id",), ("number",)),
    ),
)
TAKEN = Table(
    name="taken",
    columns=columns(source_id="text", destination="text", sent_as="text"),
    key=("source_id", "destination", "sent_as"),
    rows=CustomerRows(
        merge=Move(keep_existing=True),
        erase=Delete(),
        export=Listed(
            "sent_to",
            ("destination", "sent_as"),
            ("destination", "sent_as"),
            lambda row, _key, _id: SentTo(row[0], row[1]),
        ),
    ),
)
FORWARDS = Table(
    name="forwards",
    columns=columns(
        source_id="text", destination="text", kind="text", ref="text", due_at="number", body="bytes"
    ),
    key=("source_id", "destination", "kind", "ref"),
    rows=CustomerRows(
        merge=Move(keep_existing=True),
        erase=Delete(),
        export=NotExported("events and customers, which are exported, on their way to a destination"),
        purge=Purge("forwards", "due_at"),
        redact=Redact(("body",), ("destination", "kind", "ref")),
    ),
)
TIMERS = Table(
    name="timers",
    columns=columns(source_id="text", rule="text", started_at="number", due_at="number", body="bytes"),
    key=("source_id", "rule"),
    rows=CustomerRows(
        merge=Combine("move_timers"),
        erase=Delete(counted="timers"),
        export=Listed("timers", ("rule", "source_id", "body", "due_at"), ("due_at", "rule"), _timer),
        kept="until the timer is evaluated or cancelled",
        redact=Redact(("body",), ("rule",)),
    ),
)
PENDING_MOVES = Table(
    name="pending_moves",
    columns=columns(
        source_id="text", id="text", code="text", received_at="number", open="boolean", body="bytes"
    ),
    key=("source_id", "id"),
    rows=CustomerRows(
        merge=Move(keep_existing=True),
        erase=Delete(counted="pending_moves"),
        export=Listed(
            "pending_moves",
            ("body",),
            ("received_at", "id"),
            lambda row, _key, source_id: read_pending(source_id, row[0]),
        ),
        purge=Purge("pending_moves", "received_at", ordered="received_at"),
        redact=Redact(("body",), ("id",)),
    ),
)
ADDRESSES = Table(
    name="addresses",
    columns=columns(digest="bytes", source_id="text"),
    key=("digest", "source_id"),
    rows=CustomerRows(
        merge=Combine("move_addresses"),
        erase=DeletedWith("customers"),
        export=NotExported("digests of addresses that other members have in the clear"),
    ),
)
DATES = Table(
    name="dates",
    columns=columns(trait="text", month_day="number", source_id="text"),
    key=("trait", "month_day", "source_id"),
    rows=CustomerRows(
        merge=Combine("move_dates"),
        erase=DeletedWith("customers"),
        export=NotExported("an index of dates of customers, which are exported"),
        weighed=False,
    ),
)
UNADDRESSED = Table(
    name="unaddressed",
    columns=columns(source_id="text"),
    key=("source_id",),
    rows=CustomerRows(
        merge=Combine("move_unaddressed"),
        erase=DeletedWith("customers"),
        export=NotExported("a list of customers whose addresses are to be indexed"),
        kept="until the customer's addresses are indexed",
        weighed=False,
    ),
)
COUNTERS = Table(
    name="counters",
    columns=columns(scope="text", key="text", used="number"),
    key=("scope", "key"),
    rows=CustomerRows(
        column="scope",
        merge=Combine("move_counters"),
        erase=Delete(counted="counters"),
        export=Listed("counters", ("key", "used"), ("key",), lambda row, _key, _id: (row[0], row[1]), dict),
        shared=True,
    ),
)
