"""What callers ask of the checkout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from adapter.pricing import Mode


class Returned(Struct, frozen=True, forbid_unknown_fields=True):
    """Units of one line that come back; all that are left without `quantity`."""

    id: str
    quantity: Any = None


class Reserve(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many seconds uses are held."""

    ttl: int = 900


class Checkout(Struct, frozen=True, kw_only=True):
    """Codes for an order: `codes` as typed, or with `best` all that the customer holds.

    `customer`, `order` and `context` are documents. `hold` is a hold to be redeemed. `strict` refuses an
    order whose lines do not add up to its total.
    """

    codes: tuple[str, ...] = ()
    best: bool = False
    customer: Mapping[str, Any] = {}
    order: Mapping[str, Any] | None = None
    context: Mapping[str, Any] = {}
    order_id: str = ""
    mode: Mode = "reject"
    strict: bool = False
    reserve: Reserve | None = None
    hold: str | None = None

    @property
    def source_id(self) -> str:
        """The customer's id as it was sent, empty where none was."""
        found = self.customer.get("source_id")
        return found if isinstance(found, str) else ""


class RollBack(Struct, frozen=True, kw_only=True):
    """What of a redemption is to be rolled back: returned `lines`, an `amount`, or all of it."""

    redemption: str
    lines: tuple[Returned, ...] | None = None
    amount: Any = None
    reason: str | None = None
