"""The issued discount, field for field as in the data model, and what we keep beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from adapter.model.actions import Action, UnitOff
from adapter.model.counter_key import CounterKey

Status = Literal["issued", "applied", "redeemed", "expired", "revoked"]


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


class CheckoutTerms(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a discount is used at a checkout, as its rule said when it was issued.

    `currency` is that of its amounts, where the action does not say. Of one `stacking_group` an order takes
    one; an `exclusive` one stands alone. `partial_budget` lets a budget that is used up grant what it has
    left. `held_by` is the hold that has the discount for one checkout.
    """

    currency: str | None = None
    stacking_group: str | None = None
    exclusive: bool = False
    partial_budget: bool = False
    on_refund: Literal["return", "keep", "prorate"] = "return"
    held_by: str | None = None


NO_TERMS = CheckoutTerms()


class DiscountRecord(Struct, frozen=True):
    """A discount with what the adapter keeps beside it: owner, claims, history of its life.

    `priority` is that of its rule when it was issued. `checkout` has what only a checkout reads, and is not
    written where it says nothing.
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
    checkout: CheckoutTerms | UnsetType = UNSET

    @property
    def terms(self) -> CheckoutTerms:
        """What a checkout reads, its defaults included."""
        return NO_TERMS if self.checkout is UNSET else self.checkout

    def status_at(self, now: datetime) -> Status:
        """Return the status, expiry included: nothing needs to tick for a code to expire."""
        status = self.discount.status
        expires_at = self.discount.expires_at
        if status in ("issued", "applied") and expires_at is not None and expires_at <= now:
            return "expired"
        return status
