"""The issued discount, field for field as in the data model, and the record that the adapter stores."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from adapter.model.actions import Action, StoreCredit, UnitOff
from adapter.model.counter_key import CounterKey

Status = Literal["issued", "applied", "redeemed", "expired", "revoked"]


class Benefit(Struct, frozen=True):
    """One of the benefits under one code, with its own status."""

    action: Action
    status: Status


class Discount(Struct, frozen=True):
    """The discount in responses and deliveries: exactly these fields, in this order.

    `metadata` holds `rule`, `issued_for_event_id`, `user_id`, then the members that the rule's author added.
    A code with several benefits has all of them in `actions`; `action` is the first then, and `status` is
    that of the code: `redeemed` once all are used.
    """

    code: str
    action: Action
    expires_at: datetime | None
    metadata: dict[str, Any]
    stackable: bool
    status: Status
    actions: tuple[Benefit, ...] | UnsetType = UNSET

    @property
    def benefits(self) -> tuple[Benefit, ...]:
        """Its benefits: one where `actions` does not say more."""
        return (Benefit(self.action, self.status),) if self.actions is UNSET else self.actions

    @property
    def begun(self) -> bool:
        """Whether some of it was used: then not all of its reservations are released."""
        if self.actions is UNSET:
            return _spent(self.action)
        return any(each.status == "redeemed" or _spent(each.action) for each in self.actions)

    def as_of(self, status: Status) -> Discount:
        """Return it with a status; benefits that are not used have it too."""
        if self.actions is UNSET:
            return replace(self, status=status)
        actions = tuple(
            each if each.status == "redeemed" else replace(each, status=status) for each in self.actions
        )
        return replace(self, status=status, action=actions[0].action, actions=actions)


class VersionedDiscount(Discount, frozen=True):
    """A discount as a core returns it to an adapter: with the version of its record, where that is known."""

    version: int | UnsetType = UNSET

    @classmethod
    def of(cls, discount: Discount, version: int | UnsetType) -> VersionedDiscount:
        """Return a discount with its version."""
        return cls(**asdict(discount), version=version)

    @property
    def plain(self) -> Discount:
        """The discount as everybody else gets it."""
        return Discount(*[getattr(self, name) for name in Discount.__struct_fields__])


def _spent(action: Action) -> bool:
    """Return whether some of a balance was spent."""
    if isinstance(action, StoreCredit):
        return action.remaining < action.value
    return isinstance(action, UnitOff) and bool(action.uses)


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


class Rest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What may be used again of a discount whose redemption was rolled back in part (`on_refund: prorate`).

    `left` of the amount `of` its first redemption, in minor units of `currency`. `restored` are the claims
    that it gets back when all of it is left again.
    """

    left: int
    of: int
    currency: str
    restored: tuple[CounterReservation, ...] = ()


class CheckoutTerms(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The terms of a discount, as declared by its rule at the time of issue.

    `currency` applies to its amounts where the action has none. An order accepts one discount of each
    `stacking_group`; an `exclusive` one cannot be combined. One that is `independent` conflicts with no
    other, and one that `holds_back` keeps its customer from getting others, until it is used. With
    `partial_budget` a budget that is too small grants its remainder. `held_by` is the hold that reserves the
    discount for one checkout, `applied_in` the hold that its application has made, which any later booking of
    the discount ends. `rest` bounds what it may take once a part of it came back.
    """

    currency: str | None = None
    stacking_group: str | None = None
    exclusive: bool = False
    independent: bool = False
    holds_back: bool = False
    partial_budget: bool = False
    on_refund: Literal["return", "keep", "prorate"] = "return"
    held_by: str | None = None
    applied_in: str | None = None
    rest: Rest | None = None


NO_TERMS = CheckoutTerms()


class BenefitTerms(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is kept of one of several benefits: its members are those of the record and of `CheckoutTerms`.

    `claims` is how many of the record's claims, from the end, are its own: budgets count each benefit. The
    claims before those of all benefits count the code.
    """

    claims: int = 0
    order_id: str | None = None
    held_by: str | None = None
    applied_in: str | None = None
    rest: Rest | None = None


class DiscountRecord(Struct, frozen=True):
    """A discount as stored: with its owner, its counter reservations (`claims`) and its lifecycle times.

    `version` is 1 when it is issued, and higher after each change, so that receivers can put its events in
    order. `priority` is that of its rule at the time of issue. `checkout` has the terms that only a checkout
    reads, and is not written where all are defaults.
    `push` names the destinations of its events, where its rule chooses them. `development` says that it was
    issued for development traffic. `benefits` has the terms of each benefit, where there are several.
    `earned_by` is a hash of the customer whose event has earned it, where that is another.
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
    push: tuple[str, ...] | UnsetType = UNSET
    development: bool | UnsetType = UNSET
    benefits: tuple[BenefitTerms, ...] | UnsetType = UNSET
    earned_by: str | UnsetType = UNSET
    version: int = 1

    @property
    def terms(self) -> CheckoutTerms:
        """The terms at a checkout, defaults included."""
        return NO_TERMS if self.checkout is UNSET else self.checkout

    @property
    def is_development(self) -> bool:
        """Whether it was issued for development traffic: its events go only where that is wanted."""
        return self.development is True

    def status_at(self, now: datetime) -> Status:
        """Return the status at a time: expiry is computed, and needs no background work."""
        status = self.discount.status
        expires_at = self.discount.expires_at
        if status in ("issued", "applied") and expires_at is not None and expires_at <= now:
            return "expired"
        return status
