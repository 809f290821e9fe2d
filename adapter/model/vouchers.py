"""Vouchers: codes with a worth of their own, which no rule defines and which are issued to no customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from adapter.model.actions import Action, StoreCredit
from adapter.model.codes import folded
from adapter.model.counter_key import CounterKey, encode
from adapter.model.discounts import CounterReservation
from adapter.model.money import minor_units

#: The cap of a code that may be used without a limit: its uses are counted all the same.
UNLIMITED = 1 << 53
_GUARDRAIL = "voucher"


class Voucher(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code that any customer who has it may use. `limit` is the number of its uses, 0 for no limit.

    Amounts of the action have their `currency`. A store credit is spent in parts. How often it was used,
    and how much of a credit was spent, is in counters (`uses_of`, `spent_of`).
    """

    code: str
    action: Action
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    active: bool = True
    category: str = ""
    limit: int = 0
    stackable: bool = False
    metadata: Mapping[str, Any] = {}

    @property
    def claims(self) -> tuple[CounterReservation, ...]:
        """The counters that each use takes from: one use and, of a credit, the amount that it pays."""
        uses = CounterReservation("", uses_of(self.code), self.limit or UNLIMITED, 1, _GUARDRAIL)
        action = self.action
        if not isinstance(action, StoreCredit) or action.currency is None:
            return (uses,)
        whole = minor_units(action.value, action.currency)
        spent = spent_of(self.code, action.currency)
        return (uses, CounterReservation("", spent, whole, whole, _GUARDRAIL))


def uses_of(code: str) -> CounterKey:
    """Return the key of the counter of uses of a code."""
    return encode(_name(code), "uses")


def spent_of(code: str, currency: str) -> CounterKey:
    """Return the key of the counter of what was spent of a credit, in minor units: a budget by its form."""
    return encode(_name(code), "budget", currency, "total")


def _name(code: str) -> str:
    """Return the first part of keys: no name of a rule has a colon, and a code may contain any character."""
    return f"voucher:{blake2b(folded(code).encode(), digest_size=12).hexdigest()}"
