"""What the codes of a request are: offers that may be priced, or the reasons why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.discounts.budgets import budget_currency, budget_name
from adapter.errors import NotFound, Refused
from adapter.model.codes import code_of, resolve
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import CounterReservation, DiscountRecord
from adapter.model.encoding import encode
from adapter.pricing import ItemTest, Refusal, Terms, read_terms
from adapter.rules.engine.select import fitting
from adapter.rules.expressions.errors import ExpressionError
from adapter.rules.expressions.item_condition import compile_item_condition
from adapter.services.checkout import reasons
from adapter.services.checkout.offers import Claim, Offer, SharedCodes, offers_of

_DECODER: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Candidate(Struct, frozen=True):
    """One code that may be used, with its terms as pricing takes them."""

    offer: Offer
    terms: Terms


class Unusable(Struct, frozen=True):
    """One code that may not be used, as it was typed, with the reason."""

    code: str
    refusal: Refusal


def item_test(text: str) -> ItemTest:
    """Return the test of a condition over `item`; raises Refused."""
    try:
        return compile_item_condition(text)
    except ExpressionError as error:
        raise Refused(f"`{text}` is no condition over `item`: {error}") from error


class TermsReader:
    """Reads the terms of actions; `compile_test` makes a test of a condition over `item`.

    What was read is kept: a discount is priced several times in a checkout, and many have the same action.
    """

    def __init__(self, compile_test: Callable[[str], ItemTest] = item_test) -> None:
        self._compile = compile_test
        self._read = lru_cache(maxsize=4096)(self._decoded)

    def read(self, offer: Offer) -> Terms:
        """Return an offer's terms; raises Refused where its action cannot be priced."""
        budgets = tuple(budget_name(each) for each in offer.claims if budget_currency(each) is not None)
        terms = self._read(encode(offer.action))
        bounds = [each for each in (terms.max_amount, offer.most) if each is not None]
        return replace(
            terms,
            code=offer.code,
            max_amount=min(bounds, default=None),
            currency=offer.currency,
            balance=offer.balance,
            budgets=budgets,
            priority=offer.priority,
            stackable=offer.stackable,
            stacking_group=offer.stacking_group,
            exclusive=offer.exclusive,
        )

    def _decoded(self, action: bytes) -> Terms:
        return read_terms("", _DECODER.decode(action), self._compile)


def candidates(
    codes: Iterable[str],
    records: Mapping[str, DiscountRecord],
    shared: SharedCodes,
    claim: Claim,
    read: TermsReader,
    *,
    hold: str | None = None,
) -> tuple[list[Candidate], list[Unusable]]:
    """Return what may be priced, and what may not; counters are not looked at.

    `records` are the discounts that the codes may mean. `hold` is the hold that is being redeemed.
    """
    found: list[Candidate] = []
    refused: list[Unusable] = []
    for typed in codes:
        offered = _offers(typed, records, shared, claim)
        if isinstance(offered, Refusal):
            refused.append(Unusable(typed, offered))
            continue
        usable = of_benefits(offered, claim, read, hold=hold)
        if isinstance(usable, Refusal):
            refused.append(Unusable(code_of(offered[0].code), usable))
        else:
            found += usable
    return found, refused


def of_benefits(
    offers: Sequence[Offer], claim: Claim, read: TermsReader, *, hold: str | None = None
) -> list[Candidate] | Refusal:
    """Return the benefits of a code that may be priced, or why none may."""
    made = [of_offer(offer, claim, read, hold=hold) for offer in offers]
    usable = [one for one in made if isinstance(one, Candidate)]
    refusals = [one for one in made if isinstance(one, Refusal)]
    return usable or refusals[0]


def bearer(codes: Iterable[str], records: Mapping[str, DiscountRecord]) -> str:
    """Return whose call it is where it names no customer: whose the first issued code is, else empty.

    So the codes of two customers are never used together, and what is booked is found under its customer.
    """
    for typed in codes:
        with suppress(NotFound):
            held = resolve(typed, records)
            if held is not None:
                return held.source_id
    return ""


def _offers(
    typed: str, records: Mapping[str, DiscountRecord], shared: SharedCodes, claim: Claim
) -> Sequence[Offer] | Refusal:
    try:
        held = resolve(typed, records)
    except NotFound as error:
        return reasons.ambiguous(error.message)
    if held is not None:
        return offers_of(held)
    offer = shared.find(typed, claim) or reasons.not_found(typed)
    return offer if isinstance(offer, Refusal) else [offer]


def of_offer(
    offer: Offer, claim: Claim, read: TermsReader, *, hold: str | None = None
) -> Candidate | Refusal:
    """Return an offer as it may be priced, or why it may not; `hold` is the hold that is being redeemed."""
    refusal = _unusable(offer, claim, hold)
    if refusal is not None:
        return refusal
    try:
        terms = read.read(offer)
    except Refused as error:
        return reasons.invalid_action(code_of(offer.code), error.message)
    if terms.names_money and offer.currency is None:
        return reasons.currency_unknown(code_of(offer.code))
    return Candidate(offer, terms)


def _unusable(offer: Offer, claim: Claim, hold: str | None) -> Refusal | None:
    held, now, code = offer.discount, claim.now, code_of(offer.code)
    if offer.starts_at is not None and now < offer.starts_at:
        return reasons.not_started(code, offer.starts_at)
    if held is None:
        return reasons.expired(code, offer.expires_at) if _over(offer.expires_at, now) else None
    if claim.source_id and claim.source_id != held.source_id:
        return reasons.wrong_customer(code)
    status = held.status_at(now)
    if status == "expired":
        return reasons.expired(code, offer.expires_at)
    if status == "revoked":
        return reasons.revoked(code)
    spent = status == "redeemed" and offer.balance is not None and offer.balance <= 0
    if (status == "redeemed" and not spent) or held.terms.held_by not in (None, hold):
        return reasons.used_up(code)  # of a balance that was spent pricing says that nothing is left
    return None


def _over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


def counters(offers: Iterable[Offer]) -> list[ScopedKey]:
    """Return the counters that offers take from, in their order."""
    return sorted({(claim.scope, claim.key) for offer in offers for claim in offer.claims})


def fitted(candidate: Candidate, used: Mapping[ScopedKey, int]) -> Candidate | Refusal:
    """Return a candidate with the claims that it takes, or which count of a shared code is used up.

    Budgets are for pricing. Of a limit over any window one slot is taken.
    """
    offer = candidate.offer
    if offer.discount is not None:
        return candidate
    free = [replace(claim, amount=0) if budget_currency(claim) else claim for claim in offer.claims]
    taken = fitting([claim for claim in free if claim.amount or budget_currency(claim) is None], used)
    if isinstance(taken, CounterReservation):
        return reasons.used_up_by_customer(offer.code) if taken.scope else reasons.used_up(offer.code)
    budgets = [claim for claim in offer.claims if budget_currency(claim) is not None]
    return replace(candidate, offer=replace(offer, claims=(*taken, *budgets)))
