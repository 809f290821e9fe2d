"""The parts of an erasure that both engines share: the names of the person, and receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from adapter.model.customers import Customer
from adapter.model.deliveries import Delivery
from adapter.model.emails import normal
from adapter.model.encoding import encode
from adapter.model.erasures import (
    CUSTOMER_ERASED,
    CustomerErased,
    ErasedCustomer,
    ForwardedErasure,
    Receipt,
    fingerprint,
)
from adapter.model.events import Event
from adapter.model.quarantine import Quarantined
from adapter.store.timestamps import micros, moment
from adapter.store.values import DeliveryResult, Erasure, Forgotten, Identity

#: Longer than a delivery that was leased before the erasure may be on its way.
AFTER_LEASES: Final = timedelta(minutes=2)
#: The body of an erasure that was forwarded, in the place of one with the id.
FORGOTTEN: Final = b"{}"


def name_digests(names: Iterable[str]) -> list[bytes]:
    """Return 16 bytes for each of the names, in their order: an index from which a name cannot be read."""
    return sorted({blake2b(name.encode(), digest_size=16).digest() for name in names})


def named_by(message: Quarantined) -> list[bytes]:
    """Return the digests of the names that a quarantined message holds."""
    return name_digests(message.names())


def meant(ids: set[str], customer: Customer | None, names: Iterable[Identity]) -> set[str]:
    """Return every name of a person, as a document might hold it, addresses in their normal spelling too."""
    meant = ids | {value for _, value in names}
    meant |= set() if customer is None else customer.names() | customer.addresses()
    return meant | {address for name in meant if (address := normal(name)) is not None}


def receipt_rows(erasure: Erasure, removed: Mapping[str, int], at: datetime) -> list[tuple[Any, ...]]:
    """Return a receipt's columns for each id asked by, and whether anything was removed."""
    counts = {kind: count for kind, count in sorted(removed.items()) if count}
    return [
        (fingerprint(asked), micros(at), erasure.by, erasure.request, encode(counts), bool(counts))
        for asked in erasure.asked or (erasure.source_id,)
    ]


def forwarded(sent: Iterable[tuple[str, str]], customer: Customer | None, at: datetime) -> list[Delivery]:
    """Return the deliveries that forward an erasure, for each destination and id that it was `sent`.

    The other ids of the person are among them. They are due once no earlier delivery can be on its way.
    """
    own = set[str]() if customer is None else {customer.named().source_id, *customer.merged}
    found = {(destination, name) for destination, sent_as in sent for name in (sent_as, *own)}
    return [_forwarded(destination, name, customer, at) for destination, name in sorted(found)]


def _forwarded(destination: str, name: str, customer: Customer | None, at: datetime) -> Delivery:
    told = blake2b(f"{destination}\0{name}\0{micros(at)}".encode(), digest_size=16).hexdigest()
    identities = {} if customer is None else customer.identities
    event = CustomerErased(CUSTOMER_ERASED, at, ErasedCustomer(name, identities))
    return Delivery(
        id=f"ers_{told}",
        destination=destination,
        source_id=f"erased:{fingerprint(name).hex()}",
        type=CUSTOMER_ERASED,
        event=Raw(encode(event)),
        created_at=at,
        due_at=at + AFTER_LEASES,
    )


def forwarded_rows(erasure: Erasure, deliveries: Iterable[Delivery], at: datetime) -> list[tuple[Any, ...]]:
    """Return the rows of `forwarded_erasures`: for each id asked by, each delivery waits."""
    return [
        (fingerprint(asked), each.id, micros(at), each.destination, "waiting", micros(at), "")
        for asked in erasure.asked or (erasure.source_id,)
        for each in deliveries
    ]


def settled_erasures(settlements: Iterable[DeliveryResult]) -> list[tuple[str, str, int, str]]:
    """Return what `settle_erasure` takes of those deliveries that forward an erasure."""
    return [
        (each.id, each.forwarded.state, micros(each.forwarded.at), each.forwarded.detail)
        for each in settlements
        if each.forwarded is not None
    ]


def with_forwarded(receipts: list[Receipt], rows: Iterable[Any]) -> list[Receipt]:
    """Return receipts with what became of them elsewhere: rows of `forwarded_erasures`."""
    found: dict[int, list[ForwardedErasure]] = {}
    for erased_at, destination, state, at, detail in rows:
        found.setdefault(erased_at, []).append(ForwardedErasure(destination, state, moment(at), detail))
    return [replace(each, forwarded=found.get(micros(each.erased_at), [])) for each in receipts]


def amended(before: bytes, more: Mapping[str, int]) -> bytes:
    """Return what a receipt says was removed, with what was removed after it was written."""
    counts = Counter(msgspec.json.decode(before, type=dict[str, int]))
    counts.update(more)
    return encode({kind: count for kind, count in sorted(counts.items()) if count})


def erasure_row(erasure: Erasure, names: Iterable[str], at: datetime) -> tuple[bytes, bytes, int]:
    """Return the columns of an erasure that is under way."""
    customers = b"".join(fingerprint(asked) for asked in erasure.asked or (erasure.source_id,))
    return encode(sorted(names)), customers, micros(at)


def read_forgotten(row: Iterable[Any]) -> Forgotten:
    """Return the erasure under way of a row."""
    number, names, customers, erased_at, upto, journal_upto = row
    known = msgspec.json.decode(names, type=list[str])
    return Forgotten(number, known, customers, moment(erased_at), upto, journal_upto)


def fingerprints(customers: bytes) -> list[bytes]:
    """Return the fingerprints of an erasure's receipts, each of 32 bytes."""
    return [customers[start : start + 32] for start in range(0, len(customers), 32)]


def read_receipt(row: Iterable[Any]) -> Receipt:
    """Return the receipt of a row."""
    customer, erased_at, origin, request, removed = row
    counts = msgspec.json.decode(removed, type=dict[str, int])
    return Receipt(customer.hex(), moment(erased_at), origin, request, counts)


def occurrence(event: Event) -> tuple[datetime, str]:
    """Return by what events are put in order."""
    return event.occurred_at, event.id
