"""What a customer holds and what an order would get of it: each code alone, and the best set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.model.codes import code_of
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.pricing import MOST_CODES, Order, Refusal
from adapter.services.checkout import documents
from adapter.services.checkout.candidates import Candidate, TermsReader, Unusable, counters, of_benefits
from adapter.services.checkout.offers import Claim, Offer, SharedCodes, offers_of
from adapter.services.checkout.quote import Quote, quote

#: Codes that a customer holds, and shared ones, of which one call says what they take.
MOST_HELD = 100
MOST_SHARED = 100


class KnownCodes(Struct, frozen=True):
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
) -> KnownCodes:
    """Return the newest of what a customer holds, and the shared codes."""
    offers = shared.all(claim)
    found: list[Candidate] = []
    unusable: list[Unusable] = []
    given: list[tuple[str, Sequence[Offer] | Refusal]] = [
        (each.discount.code, offers_of(each)) for each in held[:MOST_HELD]
    ]
    for code, offer in offers[:MOST_SHARED]:
        given.append((code, offer if isinstance(offer, Refusal) else [offer]))
    for code, each in given:
        made = each if isinstance(each, Refusal) else of_benefits(each, claim, read)
        if isinstance(made, Refusal):
            unusable.append(Unusable(code, made))
        else:
            found += made
    return KnownCodes(found, unusable, len(held) > MOST_HELD or len(offers) > MOST_SHARED)


def qualified(order: Order, known: KnownCodes, used: Mapping[ScopedKey, int]) -> dict[str, Any]:
    """Return each code priced alone, and the best allowed set of those that take most."""
    codes: dict[str, list[Candidate]] = {}
    for one in known.found:
        codes.setdefault(code_of(one.offer.code), []).append(one)
    alone = [quote(order, benefits, [], used) for benefits in codes.values()]
    missed = quote(order, [], known.unusable, used)
    rows = [row for each in (*alone, missed) for row in documents.quoted(each)["codes"]]
    most = sorted(zip(codes.items(), alone, strict=True), key=lambda each: (-_taken(each[1]), each[0][0]))
    best = quote(order, [one for (_, own), _ in most[:MOST_CODES] for one in own], [], used, "best")
    return {"qualifications": rows, "best": documents.quoted(best)} | _told(known)


def _taken(one: Quote) -> int:
    return sum(each.amount for each in one.pricing.codes)


def _told(known: KnownCodes) -> dict[str, Any]:
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
