"""What is left of an erased person: that, when and on whose word they were erased."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from msgspec import Struct


class Receipt(Struct, frozen=True):
    """One erasure. `customer` is the SHA-256, in hex, of the id under which they were erased.

    `by` is where the demand came from (`api`, `command line`, `segment`, ...), `request` its id there, empty
    where it has none. `removed` counts what went, by kind; kinds of which nothing was held are left out.
    """

    customer: str
    erased_at: datetime
    by: str
    request: str
    removed: dict[str, int]


def fingerprint(source_id: str) -> bytes:
    """Return the SHA-256 of an id, by which its receipts are found."""
    return sha256(source_id.encode()).digest()
