"""The receipt of an erasure, without personal data, and what is forwarded of it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct

from adapter.model.encoding import decode

#: The type of the outbox entry that forwards an erasure.
CUSTOMER_ERASED: Final = "customer.erased"
#: What became of it: `told` is what the operator must do.
ErasureState = Literal["waiting", "done", "told", "dead"]


class ForwardedErasure(Struct, frozen=True):
    """What became of an erasure at a destination that was sent the customer, and when.

    `detail` is why it is dead or waits for the next attempt, or what the operator must do.
    """

    destination: str
    state: ErasureState
    at: datetime
    detail: str = ""


class Receipt(Struct, frozen=True):
    """One erasure. `customer` is the SHA-256, in hex, of the erased id.

    `by` is the origin of the request (`api`, `command line`, `segment`, ...), `request` its id there, empty
    where it has none. `removed` counts the removed rows by kind, without kinds of which there were none.
    `forwarded` has an entry for each destination, and for each id under which it was sent the customer.
    """

    customer: str
    erased_at: datetime
    by: str
    request: str
    removed: dict[str, int]
    forwarded: list[ForwardedErasure] = []


class ErasedCustomer(Struct, frozen=True):
    """The customer that a destination must forget, under the id that it was sent, with identities."""

    source_id: str
    identities: dict[str, str] = {}


class CustomerErased(Struct, frozen=True):
    """The outbox event of type `customer.erased`."""

    type: str
    timestamp: datetime
    data: ErasedCustomer


def read_customer_erased(body: bytes) -> ErasedCustomer:
    """Return the customer of an outbox event; raises msgspec.ValidationError where there is none."""
    return decode(body, CustomerErased).data


def fingerprint(source_id: str) -> bytes:
    """Return the SHA-256 of an id, by which its receipts are found."""
    return sha256(source_id.encode()).digest()
