"""Discounts booked on orders: redemptions, holds before them, and rollbacks after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from adapter.model.codes import benefit_key
from adapter.model.discounts import CounterReservation, Discount

#: `held` until it is redeemed, released or expired; `rolled_back` once all of it is rolled back.
State = Literal["held", "redeemed", "released", "expired", "rolled_back"]
#: The states in which its codes are in use.
IN_USE: tuple[State, ...] = ("held", "redeemed")


class CodeUse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The use of one code on an order.

    `amount` is the reduction or payment in minor units, None where the order's lines were not known, and
    `returned` the part that was rolled back. `units` are millionths of free units. `claims` are the counters
    that the use reserved, with the amounts booked now; `restored` are the earlier claims of the discount,
    which it gets back with its use. `discount` is the record created by the use of a shared code.
    `stackable`, `stacking_group` and `exclusive` say which codes may be booked on the order beside it.
    Each benefit of a code has a use of its own; `benefit` is its place among them, from 0.
    """

    code: str
    rule: str = ""
    shared: bool = False
    amount: int | None = None
    returned: int = 0
    units: int = 0
    claims: tuple[CounterReservation, ...] = ()
    restored: tuple[CounterReservation, ...] = ()
    on_refund: Literal["return", "keep", "prorate"] = "return"
    discount: Discount | None = None
    stackable: bool = True
    stacking_group: str | None = None
    exclusive: bool = False
    benefit: int = 0

    @property
    def key(self) -> str:
        """The name of what is used: the code, or one of its benefits."""
        return benefit_key(self.code, self.benefit)

    @property
    def left(self) -> int:
        """The amount that can still be rolled back, in minor units."""
        return (self.amount or 0) - self.returned


def amount_of(uses: Sequence[CodeUse]) -> int | None:
    """Return the sum of the amounts of uses, None where one is not known."""
    amounts = [use.amount for use in uses if use.amount is not None]
    return sum(amounts) if len(amounts) == len(uses) else None


class Redemption(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Codes booked on an order, or held for it `until` a moment; without `until` a hold has no end.

    `source_id` is empty where the request has no customer. `refundable` is the state that pricing needs to
    roll it back, `priced` the response, `order`, `customer` and `context` those of the request, all as JSON
    values. `revision` counts its changes. `origin` says whether a call or a message of a source booked it.
    """

    id: str
    source_id: str
    state: State
    at: datetime
    uses: tuple[CodeUse, ...]
    order_id: str = ""
    until: datetime | None = None
    currency: str | None = None
    revision: int = 0
    refundable: Any = None
    priced: Any = None
    order: Any = None
    customer: Any = None
    context: Any = None
    origin: Literal["checkout", "stream"] = "checkout"

    def state_at(self, now: datetime) -> State:
        """Return the state at a time: a hold past its end is `expired`."""
        if self.state == "held" and self.until is not None and self.until <= now:
            return "expired"
        return self.state


class Rollback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one rollback; `number` counts the rollbacks of a redemption from 1.

    `refund` and `returned` (by code) are in minor units.
    """

    id: str
    redemption: str
    source_id: str
    number: int
    at: datetime
    currency: str | None = None
    refund: int = 0
    tax: int = 0
    returned: dict[str, int] = {}
    lines: dict[str, dict[str, int]] = {}
    whole: bool = False
    reason: str | None = None
