"""Converts between values of the model and rows of both engines."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.decisions import Decision
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.model.pending import PendingMove
from adapter.model.timers import Timer
from adapter.store.timestamps import micros, micros_or_none, moment
from adapter.store.values import Known, KnownAlready, MessageKey, NewEvent

read_customer: Callable[[bytes], Customer] = msgspec.json.Decoder(Customer).decode
read_event: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
read_held: Callable[[bytes], DiscountRecord] = msgspec.json.Decoder(DiscountRecord).decode
_decision: Callable[[bytes], Decision] = msgspec.json.Decoder(Decision).decode
_pending: Callable[[bytes], PendingMove] = msgspec.json.Decoder(PendingMove).decode

#: Old message keys are dropped in this many transactions, so that none holds other writers up for long.
_SLICES = 256


def digest(key: MessageKey) -> bytes:
    """Return the 16-byte digest of a message key; the zero byte keeps (`a`, `bc`) from (`ab`, `c`)."""
    return blake2b(f"{key[0]}\0{key[1]}".encode(), digest_size=16).digest()


def event_row(new: NewEvent, owner: str) -> tuple[Any, ...]:
    """Return an event's columns; `identity` is a digest of source, name and id."""
    event = new.event
    name = f"{new.source}\0{event.name}\0{event.id}"
    identity = new.identity or blake2b(name.encode(), digest_size=16).digest()
    return owner, micros(event.occurred_at), event.id, identity, encode(event)


def read_lost(rows: Iterable[tuple[str, bytes]]) -> dict[str, list[Event]]:
    """Return the events that are lost in a merge, by the customer whose they were."""
    lost: dict[str, list[Event]] = {}
    for source_id, body in rows:
        lost.setdefault(source_id, []).append(read_event(body))
    return lost


def expect_known(known: Known, repeated: Iterable[Hashable], lost: Mapping[str, Sequence[Event]]) -> None:
    """Raise KnownAlready unless the script knew all that the store has found to exist."""
    found = frozenset(repeated)
    if not found <= known.repeated or lost != known.lost:
        raise KnownAlready(Known(found | known.repeated, lost))


def digest_slices() -> Iterator[tuple[bytes, bytes]]:
    """Yield ranges of digests, the second exclusive, that together hold all 16-byte digests."""
    for first in range(_SLICES):
        upper = bytes([first + 1]) if first + 1 < _SLICES else b"\xff" * 17
        yield bytes([first]), upper


def is_open(held: DiscountRecord) -> bool:
    """Return whether a discount is issued or applied, also after its expiry."""
    return held.discount.status in ("issued", "applied")


def read_decision(source_id: str, body: bytes) -> Decision:
    """Return a decision, with its customer after merges."""
    decision = _decision(body)
    return decision if decision.source_id == source_id else replace(decision, source_id=source_id)


def discount_row(held: DiscountRecord) -> tuple[Any, ...]:
    """Return a discount's columns."""
    discount = held.discount
    return (
        discount.code,
        held.source_id,
        held.event_id,
        micros(held.issued_at),
        micros_or_none(discount.expires_at),
        is_open(held),
        encode(held),
    )


def timer_row(timer: Timer, owner: str) -> tuple[Any, ...]:
    """Return a timer's columns."""
    started_at = micros(timer.event.occurred_at)
    return owner, timer.rule, started_at, micros(timer.due_at), encode(timer.event)


def read_timer(row: Iterable[Any]) -> Timer:
    """Return the timer of rule, source_id, event and due moment."""
    rule, source_id, body, due_at = row
    return Timer(rule, source_id, read_event(body), moment(due_at))


def pending_row(move: PendingMove, owner: str) -> tuple[Any, ...]:
    """Return a pending move's columns."""
    return owner, move.id, move.code, micros(move.received_at), move.status == "pending", encode(move)


def read_pending(source_id: str, body: bytes) -> PendingMove:
    """Return a pending move, with its customer after merges."""
    move = _pending(body)
    return move if move.source_id == source_id else replace(move, source_id=source_id)
