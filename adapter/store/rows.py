"""Converts between values of the model and rows of both engines."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from adapter.errors import Unreadable
from adapter.model.breakers import Breaker
from adapter.model.codes import folded
from adapter.model.customers import SOURCE_ID, Customer
from adapter.model.decisions import Decision
from adapter.model.deliveries import Delivery, Past, Pause, Rendered, Selection
from adapter.model.discounts import DiscountRecord
from adapter.model.encoding import decode, encode
from adapter.model.events import Event
from adapter.model.ignored import Ignored
from adapter.model.pages import Page
from adapter.model.pending import PendingMove
from adapter.model.quarantine import SHOWN, Excerpt, Packed, Quarantined, beginning, packed, unpacked
from adapter.model.timers import Timer
from adapter.model.vouchers import Voucher
from adapter.store.timestamps import micros, micros_or_none, moment
from adapter.store.values import (
    PAGE_BYTES,
    Changes,
    DeliveryResult,
    Identity,
    Known,
    KnownAlready,
    MessageKey,
    NewEvent,
    Render,
)

T = TypeVar("T")
_Owned = TypeVar("_Owned", Delivery, Timer)
read_customer: Callable[[bytes], Customer] = msgspec.json.Decoder(Customer).decode
read_event: Callable[[bytes], Event] = msgspec.json.Decoder(Event).decode
read_held: Callable[[bytes], DiscountRecord] = msgspec.json.Decoder(DiscountRecord).decode
_decision: Callable[[bytes], Decision] = msgspec.json.Decoder(Decision).decode
_voucher: Callable[[bytes], Voucher] = msgspec.json.Decoder(Voucher).decode
_pending: Callable[[bytes], PendingMove] = msgspec.json.Decoder(PendingMove).decode

#: No id or moment is above it, and no text above the other.
LAST_ID = 2**63 - 1
LAST_TEXT = "\U0010ffff"
#: No moment is below it, and no text or number below the others.
FIRST_MOMENT, FIRST_TEXT, FIRST_ID = -(2**63), "", -1
#: The number of rows in a page that is read as a whole.
MANY_ROWS = 1_000
#: Old message keys are dropped in this many transactions, so that none holds other writers up for long.
_SLICES = 256


class Cursor(Struct, frozen=True, array_like=True):
    """Where a page ended: the moment and the id or number of its last row; so many of its rows have both."""

    moment: int
    tie: str | int
    skip: int


def read_cursor(before: str | None, highest: str | int, moment_: int = LAST_ID) -> Cursor:
    """Return where a page begins, at `moment_` and `highest` where it is the first; raises Unreadable."""
    if before is None:
        return Cursor(moment_, highest, 0)
    try:
        found = msgspec.json.decode(urlsafe_b64decode(before.encode() + b"=="), type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise Unreadable("`before` is the `next` of the page before, as it was given") from error
    if type(found.tie) is not type(highest) or not 0 <= found.skip <= LAST_ID or abs(found.moment) > LAST_ID:
        raise Unreadable("`before` is the `next` of the page of another list")
    return found


def page(
    rows: Iterable[tuple[bytes, int, Any]], begun: Cursor, limit: int, read: Callable[[bytes], T]
) -> Page[T]:
    """Return a page of rows of body, moment and id or number; no more are taken than go into it, and one."""
    found, size, last = Page[T](), 0, begun
    for body, moment_, tie in rows:
        full = len(found) == limit
        if not full:
            same = (moment_, tie) == (last.moment, last.tie)
            last = Cursor(moment_, tie, last.skip + 1 if same else 1)
            found.append(read(body))
            size += len(body)
        if full or size >= PAGE_BYTES:
            found.next = cursor_text(last)
            break
    return found


def owned_page(
    rows: Iterable[Sequence[Any]],
    names: Mapping[str, str],
    begun: Cursor,
    limit: int,
    read: Callable[[str, bytes], T],
) -> Page[T]:
    """Return a page of rows of body, moment, id and the key of the customer whose they are."""
    keyed = [((row[3], row[0]), row[1], row[2]) for row in rows]
    found, last = Page[T](), begun
    for (key, body), moment_, tie in keyed[:limit]:
        same = (moment_, tie) == (last.moment, last.tie)
        last = Cursor(moment_, tie, last.skip + 1 if same else 1)
        found.append(read(names.get(key, key), body))
    if len(keyed) > limit:
        found.next = cursor_text(last)
    return found


def cursor_text(cursor: Cursor) -> str:
    """Return where a page ended as the text that continues it."""
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


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


def given_to(held: DiscountRecord, owners: Mapping[str, str]) -> DiscountRecord:
    """Return a discount after merges, with its owner and the scopes of its reservations replaced."""
    owner = owners.get(held.source_id, held.source_id)
    claims = tuple(replace(claim, scope=owners.get(claim.scope, claim.scope)) for claim in held.claims)
    return replace(held, source_id=owner, claims=claims)


def own_names(rows: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Return, of customers' keys and bodies, the ids that those kept under another id go by."""
    known = {key: read_customer(body).known_as for key, body in rows}
    return {key: name for key, name in known.items() if name}


def owned(found: Iterable[_Owned], names: Mapping[str, str]) -> list[_Owned]:
    """Return what belongs to customers with the ids that they go by, where those are not their keys."""
    return [replace(each, source_id=names.get(each.source_id, each.source_id)) for each in found]


def leading(names: Iterable[Identity], key: str, own: str) -> list[Identity]:
    """Return the names that lead to a customer's own id, where the store has them lead to a key."""
    return [(kind, key if (kind, value) == (SOURCE_ID, own) else value) for kind, value in names]


def final_owners(moved: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return, for merges in their order, where each customer's things end up."""
    owners: dict[str, str] = {}
    for old, new in reversed(moved):
        owners[old] = owners.get(new, new)
    return {old: owner for old, owner in owners.items() if old != owner}


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


def delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    """Return the columns of a new delivery, in the order of `read_delivery`; nothing is rendered yet."""
    return (
        delivery.id,
        delivery.destination,
        delivery.source_id,
        delivery.type,
        bytes(delivery.event),
        micros(delivery.created_at),
        micros(delivery.due_at),
        delivery.attempt,
        delivery.status,
        micros_or_none(delivery.not_after),
        delivery.last_error,
    )


def read_pause(row: Iterable[Any]) -> Pause:
    """Return the pause of a row."""
    destination, since, until, reason = row
    return Pause(destination, moment(since), moment(until), reason)


def breaker_row(breaker: Breaker) -> tuple[Any, ...]:
    """Return the row of a breaker."""
    times = micros_or_none(breaker.until), micros_or_none(breaker.probed_until)
    counts = breaker.succeeded, breaker.failed, breaker.openings
    return (breaker.destination, micros(breaker.since), *counts, *times, breaker.reason)


def read_breaker(row: Iterable[Any]) -> Breaker:
    """Return the breaker of a row of `breaker_row`."""
    destination, since, succeeded, failed, openings, until, probed_until, reason = row
    return Breaker(
        destination,
        moment(since),
        succeeded,
        failed,
        openings,
        None if until is None else moment(until),
        None if probed_until is None else moment(probed_until),
        reason,
    )


def ignored_row(ignored: Ignored) -> tuple[Any, ...]:
    """Return the row of what no mapping takes."""
    times = micros(ignored.first_at), micros(ignored.last_at)
    return (ignored.source, ignored.type, ignored.event, ignored.count, *times)


def read_ignored(row: Iterable[Any]) -> Ignored:
    """Return what no mapping takes, of a row as `ignored_row` makes it."""
    source, kind, event, count, first_at, last_at = row
    return Ignored(source, kind, event, count, moment(first_at), moment(last_at))


def read_delivery(row: Iterable[Any]) -> Delivery:
    """Return the delivery of a row of `delivery_row`, then `rendered_by`, `rendered`, `attempts`."""
    id_, destination, source_id, type_, event, created_at, due_at, attempt, status, not_after, *rest = row
    error, rendered_by, rendered, attempts = rest
    return Delivery(
        id=id_,
        destination=destination,
        source_id=source_id,
        type=type_,
        event=msgspec.Raw(event),
        created_at=moment(created_at),
        due_at=moment(due_at),
        attempt=attempt,
        status=status,
        not_after=None if not_after is None else moment(not_after),
        last_error=error,
        rendered=_read_rendered(rendered_by, rendered),
        past=Past() if attempts is None else decode(bytes(attempts), Past),
    )


def rendered(delivery: Delivery, render: Render | None) -> Delivery:
    """Return a leased delivery with what is sent of it; the same object where that was stored before."""
    made = render(delivery) if render is not None else None
    return delivery if made is None or made == delivery.rendered else replace(delivery, rendered=made)


def rendered_row(delivery: Delivery) -> tuple[str | None, bytes | None]:
    """Return the columns `rendered_by` and `rendered`."""
    rendered = delivery.rendered
    if rendered is UNSET:
        return None, None
    return rendered.by, None if rendered.body is None else bytes(rendered.body)


def _read_rendered(by: str | None, body: bytes | None) -> Rendered | UnsetType:
    if by is None:
        return UNSET
    return Rendered(by, None if body is None else msgspec.Raw(body))


def settled_row(settlement: DeliveryResult) -> tuple[str, int, str, int | None, str | None, bytes | None]:
    """Return id, attempt, and the status, due moment, error and past that the attempt leaves."""
    again = not settlement.done and settlement.due_at is not None
    status = "due" if again else "done" if settlement.done else "dead"
    due_at = micros_or_none(settlement.due_at) if again else None
    past = None if settlement.past is None else encode(settlement.past)
    return settlement.id, settlement.attempt, status, due_at, settlement.error, past


def selection_row(selection: Selection) -> tuple[Any, ...]:
    """Return the parts of a selection that both engines bind alike."""
    times = micros_or_none(selection.since), micros_or_none(selection.until)
    return (selection.destination, selection.type, selection.error, *times)


def timer_row(timer: Timer, owner: str) -> tuple[Any, ...]:
    """Return a timer's columns."""
    started_at = micros(timer.event.occurred_at)
    return owner, timer.rule, started_at, micros(timer.due_at), encode(timer.event)


def read_timer(row: Iterable[Any]) -> Timer:
    """Return the timer of rule, source_id, event and due moment."""
    rule, source_id, body, due_at = row
    return Timer(rule, source_id, read_event(body), moment(due_at))


def voucher_rows(vouchers: Iterable[Voucher]) -> list[tuple[str, bytes]]:
    """Return folded code and body of vouchers."""
    return [(folded(each.code), encode(each)) for each in vouchers]


def read_vouchers(bodies: Iterable[bytes]) -> dict[str, Voucher]:
    """Return vouchers by folded code."""
    found = [_voucher(body) for body in bodies]
    return {folded(each.code): each for each in found}


def pool_code_rows(changes: Changes) -> list[tuple[str, str, str, int]]:
    """Return pool, code, folded code and moment of the codes that are added to pools."""
    at = micros(changes.seen_at)
    return [(each.pool, each.code, folded(each.code), at) for each in changes.pool_codes]


def pending_row(move: PendingMove, owner: str) -> tuple[Any, ...]:
    """Return a pending move's columns."""
    return owner, move.id, move.code, micros(move.received_at), move.status == "pending", encode(move)


def read_pending(source_id: str, body: bytes) -> PendingMove:
    """Return a pending move, with its customer after merges."""
    move = _pending(body)
    return move if move.source_id == source_id else replace(move, source_id=source_id)


def quarantined_row(message: Quarantined) -> tuple[Any, ...]:
    """Return a quarantined message's columns, its id apart."""
    kept = packed(message)
    whole, size = (kept.whole, kept.size) if isinstance(kept, Packed) else (None, None)
    return (
        kept.source,
        kept.key,
        bytes(kept.document),
        kept.reason,
        micros(kept.received_at),
        kept.replayed,
        whole,
        size,
    )


def read_quarantined(row: Iterable[Any]) -> Quarantined:
    """Return the message of a row as `quarantined_row` makes it, with its id at the end."""
    source, key, document, reason, received_at, replayed, whole, _size, id_ = row
    document = msgspec.Raw(document) if whole is None else unpacked(whole)
    return Quarantined(source, key, document, reason, moment(received_at), id_, bool(replayed))


def read_excerpt(row: Iterable[Any]) -> Excerpt:
    """Return what a list shows of a row: the beginning of its document, its size, and whether it is packed.

    Older programs kept long documents as they are.
    """
    source, key, document, reason, received_at, replayed, is_packed, size, id_ = row
    truncated = bool(is_packed) or size > SHOWN
    shown = beginning(document) if truncated and not is_packed else msgspec.Raw(document)
    return Excerpt(source, key, shown, reason, moment(received_at), id_, bool(replayed), size, truncated)
