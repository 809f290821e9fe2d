"""The issued discount, field for field as in the data model, and what we keep beside it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from adapter.model.counter_key import CounterKey

Status = Literal["issued", "applied", "redeemed", "expired", "revoked"]


class PercentageOff(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="percentage_off"):
    """`value` per cent off, at most `max_amount` in the cart's currency."""

    value: Decimal
    max_amount: Decimal | None = None


class AmountOff(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="amount_off"):
    """`value` off in `currency` (the cart's when not given), from `min_cart_value` up."""

    value: Decimal
    min_cart_value: Decimal | None = None
    currency: str | None = None


class FreeShipping(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="free_shipping"):
    """Shipping free for these service levels and regions; all where the lists are empty."""

    service_levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class StoreCredit(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="store_credit"):
    """`value` to spend until `expires_at`."""

    value: Decimal
    expires_at: datetime | None = None
    currency: str | None = None


class Use(Struct, frozen=True, omit_defaults=True):
    """Units that were redeemed, when, and for which order (a ride, say)."""

    units: Decimal
    at: datetime
    order_id: str | None = None


class UnitOff(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="unit_off"):
    """`value` units free, of `unit_type` (minutes, unlocks).

    Once some are redeemed `uses` says which, the oldest first, and `left` how many remain: always `value`
    less what was used.
    """

    value: Decimal
    unit_type: str
    left: Decimal | None = None
    uses: tuple[Use, ...] = ()

    @property
    def remaining(self) -> Decimal:
        """How many units are left to redeem."""
        return self.value if self.left is None else self.left


Action = PercentageOff | AmountOff | FreeShipping | StoreCredit | UnitOff


class Discount(Struct, frozen=True):
    """The record that leaves the house: exactly these fields, in this order.

    `metadata` holds `rule`, `issued_for_event_id`, `user_id`, then what the rule's author added.
    """

    code: str
    action: Action
    expires_at: datetime | None
    metadata: dict[str, Any]
    stackable: bool
    status: Status

    @property
    def begun(self) -> bool:
        """Say whether some of its units were redeemed: then what it reserved is not given back."""
        return isinstance(self.action, UnitOff) and bool(self.action.uses)


class CounterReservation(Struct, frozen=True, array_like=True):
    """A use of one guardrail counter: `used + amount <= cap` must hold when it is reserved.

    `scope` is the customer's source_id for per-customer counters, a device id for per-device ones,
    and empty for counters of the whole shop. `amount` is 1, or minor units of money for budgets.
    """

    scope: str
    key: CounterKey
    cap: int
    amount: int
    guardrail: str


class DiscountRecord(Struct, frozen=True):
    """A discount with what the adapter keeps beside it: owner, claims, history of its life.

    `priority` is that of its rule when it was issued.
    """

    discount: Discount
    source_id: str
    rule: str
    event_id: str
    issued_at: datetime
    moved_at: datetime
    claims: tuple[CounterReservation, ...] = ()
    order_id: str | None = None
    reason: str | None = None
    priority: int = 0

    def status_at(self, now: datetime) -> Status:
        """Return the status, expiry included: nothing needs to tick for a code to expire."""
        status = self.discount.status
        expires_at = self.discount.expires_at
        if status in ("issued", "applied") and expires_at is not None and expires_at <= now:
            return "expired"
        return status
