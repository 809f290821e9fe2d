"""Orders and discounts with as little said as a test needs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import UNSET

from adapter.model.actions import Action, AmountOff, PercentageOff
from adapter.model.counter_key import encode
from adapter.model.discounts import CheckoutTerms, CounterReservation, Discount, DiscountRecord
from adapter.services.checkout.offers import Claim, Offer
from tests.checkout.shop import NOON


def order(price: str = "100.00", /, **more: Any) -> dict[str, Any]:
    return {"currency": "EUR", "lines": [{"id": "1", "quantity": 1, "unit_price": price}], **more}


def issued(
    code: str = "A1",
    source_id: str = "ann",
    *,
    action: Action | None = None,
    claims: tuple[CounterReservation, ...] = (),
    expires_at: datetime | None = None,
    terms: CheckoutTerms | None = None,
) -> DiscountRecord:
    made = action or AmountOff(value=Decimal(10), currency="EUR")
    discount = Discount(code, made, expires_at, {"rule": "thanks", "user_id": source_id}, True, "issued")
    kept = UNSET if terms is None else terms
    return DiscountRecord(discount, source_id, "thanks", "e1", NOON, NOON, claims, checkout=kept)


def percent(value: int) -> PercentageOff:
    return PercentageOff(value=Decimal(value))


def budget(cap: int, amount: int, *, name: str = "camp") -> CounterReservation:
    return CounterReservation("", encode(name, "budget", "EUR", "total"), cap, amount, "budget")


def uses(code: str, cap: int) -> CounterReservation:
    return CounterReservation("", encode(code, "uses"), cap, 1, "uses")


def shared(code: str, cap: int, *, value: str = "10.00") -> Any:
    """Return what makes the offer of a shared code that may be used so often."""

    def make(claim: Claim) -> Offer:
        action = {"type": "amount_off", "value": value, "currency": "EUR"}
        return Offer(code=code, action=action, rule=code, currency="EUR", claims=(uses(code, cap),))

    return make
