"""A hold whose customer goes by another id when it is redeemed: a visitor who has signed in meanwhile.

Where a merge has moved the visitor's rows, their counters are the customer's already. Where the visitor has
no record there was no merge, and what the hold counts for them is counted for the customer now.
"""

from __future__ import annotations

from msgspec.structs import replace

from adapter.model.discounts import CounterReservation
from adapter.model.redemptions import CodeUse, Redemption
from adapter.services.checkout.giving_back import personal
from adapter.services.checkout.ledger import Ledger


def room_for_owner(ledger: Ledger, use: CodeUse, hold: Redemption, owner: str) -> bool:
    """Tell whether the customer may have a use that is held for them under another id."""
    return all(ledger.room(theirs) >= theirs.amount for _, theirs in _carried(use, hold, owner))


def given_to_owner(ledger: Ledger, use: CodeUse, hold: Redemption, owner: str) -> CodeUse:
    """Count a held use for the customer who redeems it, and return it so."""
    claims = dict(_carried(use, hold, owner))
    for before, theirs in claims.items():
        ledger.count(replace(before, scope=hold.source_id), -before.amount)
        ledger.count(theirs, theirs.amount)
    return replace(use, claims=tuple(claims.get(claim, claim) for claim in use.claims)) if claims else use


def _carried(
    use: CodeUse, hold: Redemption, owner: str
) -> list[tuple[CounterReservation, CounterReservation]]:
    """Return the customer's own counters of a use, each with that of the new owner."""
    if not use.shared or not hold.source_id or hold.source_id == owner:
        return []
    return [(claim, replace(claim, scope=owner)) for claim in use.claims if personal(claim)]
