"""The parts of an erasure that both engines share: the names of the person, and receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from adapter.model.customers import Customer
from adapter.model.emails import normal
from adapter.model.encoding import encode
from adapter.model.erasures import Receipt, fingerprint
from adapter.model.events import Event
from adapter.model.quarantine import Quarantined
from adapter.store.timestamps import micros, moment
from adapter.store.values import Erasure, Forgotten, Identity


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
    number, names, customers, erased_at, upto = row
    return Forgotten(number, msgspec.json.decode(names, type=list[str]), customers, moment(erased_at), upto)


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
