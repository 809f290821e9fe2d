"""What a counter that is full says to a marketer."""

from __future__ import annotations

from adapter.model.discounts import CounterReservation
from adapter.model.ids import DEVICE, KEYED
from adapter.rules.guardrails.contract import GLOBAL
from adapter.rules.guardrails.periods import in_words


def holder(claim: CounterReservation) -> str:
    """Return the owner of a reservation: the customer, their device, or the value of a key."""
    if claim.scope.startswith(KEYED):
        key = claim.scope.removeprefix(KEYED).rpartition(":")[0]
        return "this email address" if key == "email" else f"this value of {key}"
    return "this device" if claim.scope.startswith(DEVICE) else "the customer"


def guardrail_of(label: str) -> str:
    """Return the name of the guardrail that a label is of: `limits` of `global.limits.email`."""
    return label.removeprefix(GLOBAL).partition(".")[0]


def without_key(label: str) -> str:
    """Return a label without its key: `global.limits` of `global.limits.email`."""
    whose = GLOBAL if label.startswith(GLOBAL) else ""
    return whose + guardrail_of(label)


def giver(claim: CounterReservation) -> str:
    """Return which rules a limit is over."""
    return "all rules together" if claim.guardrail.startswith(GLOBAL) else "this rule"


def full(claim: CounterReservation, used: int) -> str:
    """Return why a limit by number lets no more pass."""
    limit, whose = claim.guardrail.removeprefix(GLOBAL), giver(claim)
    if claim.cap == 0:
        over_all = claim.guardrail != limit
        return f"{limit} over all rules is 0" if over_all else f"{limit} is 0, so {whose} issues nothing"
    if claim.scope:
        return f"{holder(claim)} has had {used} of {claim.cap} of {whose} {in_words(claim.key)}"
    return f"{used} of {claim.cap} discounts of {whose} are out {in_words(claim.key)}"
