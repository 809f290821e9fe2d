"""What `POST /v1/evaluate` returns for each operation, as both sides of the call read it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from msgspec import Struct

from adapter.model.decisions import Decision
from adapter.model.discounts import VersionedDiscount

#: The types of outbox entries that hold operations for a core. That of an erasure is apart, because its
#: customer is named by the entry alone.
OPERATIONS: Final = "operations"
ERASURE: Final = "operations.erase"


def erasure_id(source_id: str, at: datetime) -> str:
    """Return the id of the operation that erases a customer, demanded at a time; it does not name them.

    The outbox may hold an erasure twice, as an operation and as what is forwarded to every destination. Under
    one id it is applied once.
    """
    return f"erase:{sha256(f'{at.timestamp():.6f}{chr(0)}{source_id}'.encode()).hexdigest()}"


#: Why an operation was refused; all others are settled, quarantined ones too.
Refusal = Literal["unreadable", "unknown_action", "idempotency_key_reused", "too_large"]


class Evaluated(Struct, omit_defaults=True):
    """The outcome of the operation at a place of the request, and the discounts issued or moved by it.

    `processed` and `quarantined` operations are stored, and a `duplicate` was stored before: its discounts
    and decisions are those of the first time. A `refused` one was not stored: `error` says why, as a code.
    `reason` and the `error` of a processed one are as in the results of a webhook. The `version` of a
    discount is that of the event about it.
    """

    index: int
    id: str | None
    outcome: Literal["processed", "duplicate", "quarantined", "ignored", "refused"]
    reason: str | None = None
    error: str | None = None
    discounts: list[VersionedDiscount] = []
    decisions: list[Decision] = []
    misfits: list[str] = []


class Evaluation(Struct):
    """A result for each operation, in the order of the request."""

    results: list[Evaluated]
