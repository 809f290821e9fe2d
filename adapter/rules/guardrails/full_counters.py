"""What a counter that is full says to a marketer."""

from __future__ import annotations

from adapter.model.counter_key import decode
from adapter.model.discounts import CounterReservation
from adapter.model.ids import DEVICE, KEYED
from adapter.rules.guardrails.contract import CAMPAIGN, CAMPAIGN_COUNTS, GLOBAL
from adapter.rules.guardrails.periods import in_words


def holder(claim: CounterReservation) -> str:
    """Return the owner of a reservation: the customer, their device, or the value of a key."""
    if claim.scope.startswith(KEYED):
        key = claim.scope.removeprefix(KEYED).rpartition(":")[0]
        return "this email address" if key == "email" else f"this value of {key}"
    return "this device" if claim.scope.startswith(DEVICE) else "the customer"


def guardrail_of(label: str) -> str:
    """Return the name of the guardrail that a label is of: `limits` of `global.limits.email`."""
    return label.removeprefix(whose(label)).partition(".")[0]


def whose(label: str) -> str:
    """Return what a label begins with: `global.`, `campaign.`, or nothing where it is a rule's own."""
    return next((each for each in (GLOBAL, CAMPAIGN) if label.startswith(each)), "")


def without_key(label: str) -> str:
    """Return a label without its key: `global.limits` of `global.limits.email`."""
    return whose(label) + guardrail_of(label)


def giver(claim: CounterReservation) -> str:
    """Return which rules a limit is over."""
    if claim.guardrail.startswith(CAMPAIGN):
        return f"the campaign {decode(claim.key)[0].removeprefix(CAMPAIGN_COUNTS)}"
    return "all rules together" if claim.guardrail.startswith(GLOBAL) else "this rule"


def full(claim: CounterReservation, used: int) -> str:
    """Return why a limit by number lets no more pass."""
    limit, gives = claim.guardrail.removeprefix(whose(claim.guardrail)), giver(claim)
    if claim.cap == 0:
        over_all = claim.guardrail.startswith(GLOBAL)
        return f"{limit} over all rules is 0" if over_all else f"{limit} is 0, so {gives} issues nothing"
    if claim.scope:
        return f"{holder(claim)} has had {used} of {claim.cap} of {gives} {in_words(claim.key)}"
    return f"{used} of {claim.cap} discounts of {gives} are out {in_words(claim.key)}"
