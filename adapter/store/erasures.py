"""What erasing a person is to both engines: whom it means, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

from adapter.model.customers import Customer
from adapter.model.discounts import HeldDiscount
from adapter.model.encoding import encode
from adapter.model.erasures import Receipt, fingerprint
from adapter.model.events import Event
from adapter.model.quarantine import Quarantined
from adapter.store.contract import Erasure, Identity
from adapter.store.moments import micros, moment


def name_digests(names: Iterable[str]) -> list[bytes]:
    """Return 16 bytes for each of the names, in their order: an index of them that names nobody."""
    return sorted({blake2b(name.encode(), digest_size=16).digest() for name in names})


def named_by(message: Quarantined) -> list[bytes]:
    """Return the digests of the names that a quarantined message holds."""
    return name_digests(message.names())


def meant(source_id: str, customer: Customer | None, names: Iterable[Identity]) -> set[str]:
    """Return every name of a person, as a document might hold it."""
    meant = {source_id} | {value for _, value in names}
    return meant | (customer.names() if customer is not None else set())


def receipt_rows(erasure: Erasure, removed: Mapping[str, int], at: datetime) -> list[tuple[Any, ...]]:
    """Return a receipt's columns for each id asked by, and whether anything was removed."""
    told = {kind: count for kind, count in sorted(removed.items()) if count}
    return [
        (fingerprint(asked), micros(at), erasure.by, erasure.request, encode(told), bool(told))
        for asked in erasure.asked or (erasure.source_id,)
    ]


def read_receipt(row: Iterable[Any]) -> Receipt:
    """Return the receipt of a row."""
    customer, erased_at, origin, request, removed = row
    told = msgspec.json.decode(removed, type=dict[str, int])
    return Receipt(customer.hex(), moment(erased_at), origin, request, told)


def email_json(email: str) -> bytes:
    """Return an email as it stands in the JSON of a customer."""
    return encode(email)


def has_email(customer: Customer, email: str) -> bool:
    """Say whether an email is a customer's own."""
    return email in (customer.email, customer.identities.get("email"))


def occurrence(event: Event) -> tuple[datetime, str]:
    """Return by what events are put in order."""
    return event.occurred_at, event.id


def issuance(held: HeldDiscount) -> tuple[datetime, str]:
    """Return by what discounts are put in order."""
    return held.issued_at, held.discount.code
