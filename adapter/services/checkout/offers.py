"""What a code promises: a discount that was issued to one customer, or a code that everybody may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from adapter.discounts.benefits import split
from adapter.discounts.budgets import budget_currency
from adapter.model.actions import StoreCredit, UnitOff
from adapter.model.customers import Customer
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.money import from_minor_units
from adapter.pricing import Order, Refusal

OnRefund = Literal["return", "keep", "prorate"]


class Offer(Struct, frozen=True, kw_only=True):
    """A code with its terms, as they are at the moment.

    `action` has the members of the action. `claims` are the counters that a use takes from: of a discount
    those that it took when it was issued, of a shared code those that each use takes, where a budget's
    `amount` is replaced by what the use costs. With `partial` a budget that has too little left grants what
    it has. `discount` is the issued record, None for a shared code. `most` is what it may take at most where
    a part of it is in use.
    """

    code: str
    action: Mapping[str, Any]
    rule: str = ""
    currency: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    priority: int = 0
    stackable: bool = True
    stacking_group: str | None = None
    exclusive: bool = False
    claims: tuple[CounterReservation, ...] = ()
    partial: bool = False
    on_refund: OnRefund = "return"
    metadata: Mapping[str, Any] = {}
    discount: DiscountRecord | None = None
    most: Decimal | None = None

    @property
    def balance(self) -> Decimal | None:
        """What is left of a value that is spent in parts, None where nothing was spent."""
        action = None if self.discount is None else self.discount.discount.action
        return action.remaining if isinstance(action, StoreCredit | UnitOff) else None


class Claim(Struct, frozen=True, kw_only=True):
    """Who claims a shared code for what: the customer as they are stored, and what was sent.

    `sent` is the inline customer, `order` and `context` are documents, `cart` is the order as it is priced.
    `history` is as the store has it. `id` is that of the redemption.
    """

    source_id: str
    now: datetime
    id: str = ""
    cart: Order | None = None
    customer: Customer | None = None
    history: bytes = b""
    sent: Mapping[str, Any] = {}
    order: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}


class SharedCodes(Protocol):
    """The codes that everybody may use who meets their conditions."""

    def any_of(self, codes: Iterable[str]) -> bool:
        """Tell whether one of the codes is shared: then the customer's past is needed."""
        ...

    def find(self, code: str, claim: Claim) -> Offer | Refusal | None:
        """Return what a typed code offers now, why not, or None where it is no shared code."""
        ...

    def all(self, claim: Claim) -> list[tuple[str, Offer | Refusal]]:
        """Return every shared code that is in force, with its offer, or which of its conditions do not hold.

        Codes that are withheld for another reason are left out: nobody is to know of them.
        """
        ...


def offers_of(held: DiscountRecord) -> list[Offer]:
    """Return what an issued discount promises: each of its benefits, named by `benefit_key`."""
    return [_offer_of(part) for part in split(held)]


def _offer_of(held: DiscountRecord) -> Offer:
    discount = held.discount
    action: dict[str, Any] = msgspec.to_builtins(discount.action, builtin_types=(Decimal, datetime))
    own, rest = action.get("currency"), held.terms.rest
    counted = (found for claim in held.claims if (found := budget_currency(claim)) is not None)
    return Offer(
        code=discount.code,
        action=action,
        rule=held.rule,
        currency=rest.currency if rest else held.terms.currency or own or next(counted, None),
        expires_at=discount.expires_at,
        priority=held.priority,
        stackable=discount.stackable,
        stacking_group=held.terms.stacking_group,
        exclusive=held.terms.exclusive,
        claims=held.claims,
        partial=held.terms.partial_budget,
        on_refund=held.terms.on_refund,
        discount=held,
        most=from_minor_units(rest.left, rest.currency) if rest else None,
    )
