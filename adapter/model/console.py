"""What the console keeps: who is signed in, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct, field

#: An act that was begun and not ended was interrupted: what it did is not known.
AuditState = Literal["begun", "done", "failed"]


def _null() -> Raw:
    return Raw(b"null")


class ConsoleSession(Struct, frozen=True):
    """A signed-in visitor: the SHA-256 of the cookie, and that of the token it was exchanged for."""

    id: bytes
    token: bytes
    name: str
    expires_at: datetime


class SignInLimits(Struct, frozen=True):
    """How many tokens may be tried since a moment: from one address, and in all."""

    since: datetime
    per_address: int
    in_all: int


class SignIn(Struct, frozen=True):
    """A token that is tried: its number, which counts until it is dropped.

    Where too many were tried there is none, and `first` is when the first of those was that count.
    """

    number: int | None
    first: datetime


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One act in the console: who did what, when, to what, and what it was before and after.

    `number` is 0 until the store assigns one. `customer` is the id of the customer whom the act concerns; an
    erasure empties it, and all that could tell of the person.
    """

    at: datetime
    who: str
    role: str
    action: str
    subject: str = ""
    customer: str = ""
    state: AuditState = "begun"
    message: str = ""
    before: Raw = field(default_factory=_null)
    after: Raw = field(default_factory=_null)
    number: int = 0
