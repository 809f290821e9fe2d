"""Why a code cannot be used, beside what pricing says: stable reasons with their sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from adapter.pricing import Refusal


def _rejected(reason: str, message: str, other: str | None = None) -> Refusal:
    return Refusal("rejected", reason, message, other=other)


def not_found(code: str) -> Refusal:
    """Return that a code is none."""
    return _rejected("code_not_found", f"`{code}` is not a code")


def ambiguous(message: str) -> Refusal:
    """Return that a code may be one of several."""
    return _rejected("code_ambiguous", message)


def wrong_customer(code: str) -> Refusal:
    """Return that a code was issued to another customer."""
    return _rejected("wrong_customer", f"{code} was issued to another customer")


def customer_needed(code: str) -> Refusal:
    """Return that a code is limited per customer, and no customer is named."""
    return _rejected("customer_needed", f"{code} is limited per customer: name the customer")


def not_started(code: str, starts_at: datetime) -> Refusal:
    """Return that it is too early."""
    return _rejected("not_started", f"{code} can be used from {starts_at:%Y-%m-%dT%H:%M:%SZ}")


def expired(code: str, expires_at: datetime | None) -> Refusal:
    """Return that it is too late."""
    when = f" at {expires_at:%Y-%m-%dT%H:%M:%SZ}" if expires_at else ""
    return _rejected("expired", f"{code} expired{when}")


def revoked(code: str) -> Refusal:
    """Return that a code was taken back."""
    return _rejected("revoked", f"{code} was revoked")


def used_up(code: str) -> Refusal:
    """Return that all uses are taken, or held for another checkout."""
    return _rejected("usage_limit_reached", f"{code} was used as often as it may be")


def used_up_by_customer(code: str) -> Refusal:
    """Return that the customer has had all uses."""
    return _rejected(
        "usage_limit_reached_for_this_customer", f"the customer has used {code} as often as one may"
    )


def currency_unknown(code: str) -> Refusal:
    """Return that nothing says in which currency an amount is."""
    return _rejected("currency_unknown", f"{code} names an amount without a currency")


def conditions_not_met(
    code: str, why: str, conditions: Sequence[Mapping[str, Any]] = (), amount: int | None = None
) -> Refusal:
    """Return which conditions of a shared code do not hold, and how far comparisons are from holding.

    `amount` is what the order lacks, in minor units.
    """
    refusal = _rejected("conditions_not_met", f"{code} does not apply: {why}")
    missing = {"conditions": list(conditions)} if conditions else None
    return replace(refusal, missing=missing, missing_amount=amount)


def not_available(code: str, why: str) -> Refusal:
    """Return why a shared code is not given now though its conditions hold."""
    return _rejected("not_available", f"{code} is not available: {why}")


def already_on_order(code: str) -> Refusal:
    """Return that a code is in use on the same order."""
    return _rejected("already_redeemed", f"{code} was redeemed on this order")


def held_on_order(code: str) -> Refusal:
    """Return that a hold has a code in use on the same order."""
    return _rejected("code_held", f"{code} is held for this order: redeem the hold by its id")


def budget_exhausted(code: str) -> Refusal:
    """Return that a budget has less left than a code may cost."""
    return _rejected("budget_exhausted", f"the budget of {code} has too little left")


def invalid_action(code: str, message: str) -> Refusal:
    """Return that what a code promises cannot be priced."""
    return _rejected("invalid_action", f"{code} cannot be priced: {message}")


def not_combinable(code: str, other: str) -> Refusal:
    """Return that a code does not stack with one that is booked on the order."""
    return _rejected("not_combinable", f"{code} cannot be combined with {other} on the order", other)


def more_than_is_left(code: str, other: str) -> Refusal:
    """Return that the codes booked on an order, and these, would take more than its total."""
    return _rejected("not_combinable", f"{code} takes more than {other} has left of the order", other)
