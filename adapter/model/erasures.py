"""The receipt of an erasure, without personal data."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from msgspec import Struct


class Receipt(Struct, frozen=True):
    """One erasure. `customer` is the SHA-256, in hex, of the erased id.

    `by` is the origin of the request (`api`, `command line`, `segment`, ...), `request` its id there, empty
    where it has none. `removed` counts the removed rows by kind, without kinds of which there were none.
    """

    customer: str
    erased_at: datetime
    by: str
    request: str
    removed: dict[str, int]


def fingerprint(source_id: str) -> bytes:
    """Return the SHA-256 of an id, by which its receipts are found."""
    return sha256(source_id.encode()).digest()
