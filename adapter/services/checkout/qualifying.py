"""What a customer holds and what an order would get of it: each code alone, and the best set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.pricing import MOST_CODES, Order
from adapter.services.checkout import documents
from adapter.services.checkout.candidates import Candidate, TermsReader, Unusable, counters, of_offer
from adapter.services.checkout.offers import Claim, SharedCodes, offer_of
from adapter.services.checkout.quote import Quote, quote

#: Codes that a customer holds, and shared ones, of which one call says what they take.
MOST_HELD = 100
MOST_SHARED = 100


class Known(Struct, frozen=True):
    """The codes of which a qualification speaks; `left_out` says that there are more."""

    found: Sequence[Candidate]
    unusable: Sequence[Unusable]
    left_out: bool

    @property
    def counters(self) -> list[ScopedKey]:
        """The counters that they take from."""
        return counters(one.offer for one in self.found)


def known_codes(
    held: Sequence[DiscountRecord], claim: Claim, shared: SharedCodes, read: TermsReader
) -> Known:
    """Return the newest of what a customer holds, and the shared codes."""
    offers = shared.all(claim)
    found: list[Candidate] = []
    unusable: list[Unusable] = []
    given = [(each.discount.code, offer_of(each)) for each in held[:MOST_HELD]]
    for code, offer in (*given, *offers[:MOST_SHARED]):
        made = of_offer(offer, claim, read)
        if isinstance(made, Candidate):
            found.append(made)
        else:
            unusable.append(Unusable(code, made))
    return Known(found, unusable, len(held) > MOST_HELD or len(offers) > MOST_SHARED)


def qualified(order: Order, known: Known, used: Mapping[ScopedKey, int]) -> dict[str, Any]:
    """Return each code priced alone, and the best allowed set of those that take most."""
    alone = [quote(order, [one], [], used) for one in known.found]
    missed = quote(order, [], known.unusable, used)
    rows = [row for each in (*alone, missed) for row in documents.quoted(each)["codes"]]
    most = sorted(
        zip(known.found, alone, strict=True), key=lambda each: (-_taken(each[1]), each[0].offer.code)
    )
    best = quote(order, [one for one, _ in most[:MOST_CODES]], [], used, "best")
    return {"qualifications": rows, "best": documents.quoted(best)} | _told(known)


def _taken(one: Quote) -> int:
    return sum(each.amount for each in one.pricing.codes)


def _told(known: Known) -> dict[str, Any]:
    told = []
    if known.left_out:
        message = (
            f"the newest {MOST_HELD} held codes and {MOST_SHARED} shared ones were priced, and there are more"
        )
        told.append({"code": "codes_left_out", "path": "qualifications", "message": message})
    if len(known.found) > MOST_CODES:
        message = f"the best set is one of the {MOST_CODES} codes that take most by themselves"
        told.append({"code": "codes_left_out", "path": "best", "message": message})
    return {"warnings": told} if told else {}
