"""The transaction that redeems codes, or holds them: load, give back a hold, price, take, save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from adapter.model.codes import folded
from adapter.model.counter_key import ScopedKey
from adapter.model.customers import LINKING
from adapter.model.discounts import DiscountRecord
from adapter.model.redemptions import CodeUse, Redemption
from adapter.pricing import Order, redeemed
from adapter.services.checkout import documents, reasons, replies
from adapter.services.checkout.beside import refused_beside
from adapter.services.checkout.candidates import Candidate, TermsReader, Unusable, candidates, counters
from adapter.services.checkout.giving_back import confirmable, everything, give_back
from adapter.services.checkout.ledger import Ledger
from adapter.services.checkout.offers import Claim, SharedCodes
from adapter.services.checkout.pushes import Pushes
from adapter.services.checkout.quote import Quote, quote
from adapter.services.checkout.replies import Keyed, Reply
from adapter.services.checkout.requests import Checkout
from adapter.services.checkout.taking import Booking, confirm, take
from adapter.services.ingest.identities import IdentityGraph
from adapter.store.contract import Transaction
from adapter.store.values import BookedState, BookingRequest, Changes, LoadedState, LoadRequest


class Terms(Struct, frozen=True):
    """What every booking works with."""

    shared: SharedCodes
    read: TermsReader
    pushes: Pushes


class Wish(Struct, frozen=True, kw_only=True):
    """One booking that is asked for: the request with its order, None where a hold is redeemed as it is.

    `known` are redemptions and holds that it may be about, as they were before the transaction. `ttl` makes
    it a hold. `id` is that of the new redemption.
    """

    request: Checkout
    order: Order | None
    now: datetime
    id: str
    known: Sequence[Redemption] = ()
    ttl: timedelta | None = None
    keyed: Keyed | None = None

    @property
    def codes(self) -> list[str]:
        """All codes that it may be about."""
        return [*self.request.codes, *(use.code for each in self.known for use in each.uses)]


async def book(transaction: Transaction, wish: Wish, terms: Terms) -> Reply:
    """Book all codes of a request or none; the reply says what was booked, or why nothing was."""
    loaded = await transaction.load(_wanted(wish), wish.now)
    if wish.keyed is not None and wish.keyed.message in loaded.answers:
        return replies.repeated(wish.keyed, loaded.answers[wish.keyed.message])
    held = [each.id for each in wish.known]
    orders = [wish.request.order_id] if wish.request.order_id else []
    booked = await transaction.booked(BookingRequest(redemptions=held, orders=orders))
    if later := set(booked.on_orders.values()).difference(held):
        # Booked since the redemptions of the order were read.
        more = await transaction.booked(BookingRequest(redemptions=sorted(later)))
        booked = replace(booked, redemptions={**booked.redemptions, **more.redemptions})
    attempt = _Attempt(wish, terms, loaded, booked)
    attempt.reserve((await transaction.reserve(attempt.counters(), ())).used)
    reply = attempt.reply()
    changes = attempt.changes(reply)
    if changes is not None:
        await transaction.save(changes)
    return reply


def _wanted(wish: Wish) -> LoadRequest:
    source_id = wish.request.source_id
    names = [source_id] if source_id else []
    names += sorted({each.source_id for each in wish.known if each.source_id})
    identities = [(kind, source_id) for kind in LINKING] if source_id else []
    messages = [wish.keyed.message] if wish.keyed else []
    return LoadRequest(messages, names, identities, wish.codes)


class _Attempt:
    """One run of the script, between what was loaded and what is saved."""

    def __init__(self, wish: Wish, terms: Terms, loaded: LoadedState, booked: BookedState) -> None:
        self._wish = wish
        self._terms = terms
        self._records = loaded.discounts
        self._booked = booked
        people = IdentityGraph(loaded)
        given = wish.request.source_id
        self._hold = _hold(wish, booked)
        owner = people.resolve(given) if given else ""
        holder = self._hold.source_id if self._hold else ""
        self._owner = owner or holder
        self._of_another = bool(owner and holder) and people.resolve(holder) != owner
        record = loaded.customers.get(self._owner)
        self._claim = Claim(
            source_id=self._owner,
            now=wish.now,
            id=self._hold.id if self._hold else wish.id,
            cart=wish.order,
            customer=record.customer if record else None,
            history=record.history if record else b"",
            sent=wish.request.customer,
            order=wish.request.order or {},
            context=wish.request.context,
        )
        self._found, self._unusable = self._candidates(self._records)
        self._ledger = Ledger({}, {})
        self._redemption: Redemption | None = None

    def counters(self) -> list[ScopedKey]:
        """Return the counters that may be moved."""
        held = [claim for use in (self._hold.uses if self._hold else ()) for claim in use.claims]
        named = {(claim.scope, claim.key) for claim in held}
        return sorted({*counters(one.offer for one in self._found), *named, *_reserved(self._records)})

    def reserve(self, used: Mapping[ScopedKey, int]) -> None:
        """Take note of the counters."""
        self._ledger = Ledger(self._records, used)

    def reply(self) -> Reply:
        """Book, and return what is answered."""
        refusal = self._refused_hold() or self._repeated_order()
        if refusal is not None:
            return refusal
        if self._hold is not None and self._wish.order is None:
            return self._unconfirmable(self._hold) or self._confirmed(self._hold)
        if self._wish.order is None:
            return replies.refusal("order_needed", "an order is needed, or the hold of one", 400)
        if self._hold is not None:
            give_back(self._ledger, self._hold, everything(self._hold, self._wish.now))
            self._found, self._unusable = self._candidates(self._ledger.records)
        found = quote(
            self._wish.order, self._found, self._unusable, self._ledger.used, self._wish.request.mode
        )
        return self._refused(found) or self._beside(found) or self._taken(found, self._wish.order)

    def changes(self, reply: Reply) -> Changes | None:
        """Return what is saved: what was booked, and the answer under its key."""
        keyed, ledger, redemption = self._wish.keyed, self._ledger, self._redemption
        if keyed is None and redemption is None:
            return None
        answers = {keyed.message: replies.kept(keyed, reply)} if keyed else {}
        if redemption is None:
            return nothing_but(answers, self._wish.now)
        rewarded = dict.fromkeys(answers, self._owner) if self._owner else {}
        kind = "redemption.held" if redemption.state == "held" else "redemption.created"
        pushed = self._terms.pushes.of(
            kind, reply.body, redemption.source_id, ledger.written.values(), self._wish.now
        )
        return replace(
            nothing_but(answers, self._wish.now),
            rewarded=rewarded,
            discounts=list(ledger.written.values()),
            counters=ledger.differences,
            bounds=ledger.bounds,
            deliveries=list(pushed),
            redemptions=[redemption],
        )

    def _candidates(self, records: Mapping[str, DiscountRecord]) -> tuple[list[Candidate], list[Unusable]]:
        request, now = self._wish.request, self._wish.now
        codes: Iterable[str] = request.codes
        if not codes and self._hold is not None:
            codes = [use.code for use in self._hold.uses]
        if request.best:
            mine = [held for held in records.values() if held.source_id == self._owner]
            held_codes = [held.discount.code for held in mine if held.status_at(now) in ("issued", "applied")]
            given = list(codes)
            named = set(map(folded, given))
            codes = [*given, *(code for code in held_codes if folded(code) not in named)]
        hold = None if self._hold is None else self._hold.id
        return candidates(codes, records, self._terms.shared, self._claim, self._terms.read, hold=hold)

    def _refused_hold(self) -> Reply | None:
        if self._hold is not None and self._of_another:
            code = self._hold.uses[0].code
            return not_redeemable(code, reasons.wrong_customer(code), {})
        if self._wish.request.hold is None:
            return None
        if self._hold is None:
            return replies.refusal("not_found", "there is no such hold", 404)
        state = self._hold.state_at(self._wish.now)
        if state in ("redeemed", "rolled_back"):
            return replies.refusal("hold_confirmed", "the hold was redeemed already")
        if state != "held":
            message = "the hold has expired" if state == "expired" else "the hold was released"
            return replies.refusal(f"hold_{state}", message)
        return None

    def _repeated_order(self) -> Reply | None:
        """Return the answer for an order on which the codes are in use already, None where none is."""
        order_id, own = self._wish.request.order_id, self._hold.id if self._hold else None
        taken = {
            folded(code): id_ for (order, code), id_ in self._booked.on_orders.items()
            if order == order_id and id_ != own
        }  # fmt: skip
        request = self._wish.request
        held = [use.code for use in self._hold.uses] if self._hold and not request.codes else []
        names = {folded(code): code for code in (*request.codes, *held)}
        met = [code for code in names if code in taken]
        if request.best and not met:
            met = sorted(taken)  # the best set of an order is booked once
        if not met:
            return None
        first = self._booked.redemptions.get(taken[met[0]])
        same = first is not None and (request.best or set(names) == _codes(first))
        if first is not None and first.state == "redeemed" and same and request.hold is None:
            return Reply.of(documents.booked(first, self._wish.now))
        names = {met[0]: met[0], **names}
        return not_redeemable(names[met[0]], reasons.already_on_order(names[met[0]]), {})

    def _refused(self, found: Quote) -> Reply | None:
        refusal = found.refusal
        if refusal is None and found.used:
            return None
        document = documents.quoted(found)
        if refusal is None:
            return replies.refusal("no_codes", "no code is given", 400, **document)
        return not_redeemable(*refusal, document)

    def _beside(self, found: Quote) -> Reply | None:
        own = self._hold.id if self._hold else None
        booked = self._booked.redemptions
        others = [booked[id_] for id_ in sorted(set(self._booked.on_orders.values())) if id_ != own]
        refusal = refused_beside(found, others)
        return None if refusal is None else not_redeemable(*refusal, documents.quoted(found))

    def _taken(self, found: Quote, order: Order) -> Reply:
        wish, request = self._wish, self._wish.request
        hold = self._hold
        booking = self._booking(order.currency)
        results = {one.code: one for one in found.pricing.codes}
        uses = [take(self._ledger, one, results[one.offer.code], booking) for one in found.used]
        document = documents.plain(documents.quoted(found))
        self._redemption = Redemption(
            id=booking.id,
            source_id=self._owner,
            state="held" if wish.ttl else "redeemed",
            at=wish.now,
            uses=tuple(uses),
            order_id=booking.order_id,
            until=wish.now + wish.ttl if wish.ttl else None,
            currency=order.currency,
            revision=hold.revision + 1 if hold else 0,
            refundable=msgspec.to_builtins(redeemed(found.pricing)),
            priced=document,
            order=request.order,
            customer=dict(request.customer) or None,
            context=dict(request.context) or None,
        )
        return Reply.of(documents.booked(self._redemption, wish.now))

    def _unconfirmable(self, hold: Redemption) -> Reply | None:
        """Return why a hold cannot be redeemed as it is: a discount was revoked or redeemed meanwhile."""
        for use in hold.uses:
            held = self._ledger.records.get(use.code)
            if use.shared or (held is not None and confirmable(held, hold)):
                continue
            revoked = held is not None and held.discount.status == "revoked"
            refusal = reasons.revoked(use.code) if revoked else reasons.used_up(use.code)
            return not_redeemable(use.code, refusal, {})
        return None

    def _confirmed(self, hold: Redemption) -> Reply:
        booking = self._booking(hold.currency or "")
        for use in hold.uses:
            confirm(self._ledger, use, booking)
        self._redemption = replace(
            hold,
            source_id=self._owner,
            state="redeemed",
            at=self._wish.now,
            until=None,
            order_id=booking.order_id,
            uses=tuple(map(_redeemed, hold.uses)),
            revision=hold.revision + 1,
        )
        return Reply.of(documents.booked(self._redemption, self._wish.now))

    def _booking(self, currency: str) -> Booking:
        hold = self._hold
        return Booking(
            id=hold.id if hold else self._wish.id,
            source_id=self._owner,
            now=self._wish.now,
            currency=currency,
            order_id=self._wish.request.order_id or (hold.order_id if hold else ""),
            held=self._wish.ttl is not None,
        )


def not_redeemable(code: str, refusal: Any, document: Mapping[str, Any]) -> Reply:
    """Return that a code cannot be redeemed, and nothing was booked."""
    error = {"code": "not_redeemable", "message": refusal.message, "reason": refusal.reason,
             "discount_code": code}  # fmt: skip
    return Reply.of({"error": error, **document}, 409)


def nothing_but(answers: Mapping[Any, bytes], now: datetime) -> Changes:
    """Return changes that keep answers alone."""
    return Changes(
        seen_at=now,
        answers=dict(answers),
        customers=[],
        identities={},
        moved=[],
        erased=[],
        events=[],
        discounts=[],
        counters={},
        decisions=[],
        deliveries=[],
        quarantine=[],
    )


def _hold(wish: Wish, booked: BookedState) -> Redemption | None:
    """Return the hold that is redeemed: the one that is named, else one of these codes on the same order."""
    wanted = wish.request.hold
    if wanted is not None:
        return booked.redemptions.get(wanted)
    asked = set(map(folded, wish.request.codes))
    known = {each.id for each in wish.known}  # the discounts of others are not loaded
    ids = {id_ for (_, code), id_ in booked.on_orders.items() if folded(code) in asked} & known
    found = [booked.redemptions[id_] for id_ in ids if id_ in booked.redemptions]
    return next((each for each in found if each.state_at(wish.now) == "held"), None)


def _reserved(records: Mapping[str, DiscountRecord]) -> set[ScopedKey]:
    return {(claim.scope, claim.key) for held in records.values() for claim in held.claims}


def _codes(redemption: Redemption) -> set[str]:
    return {folded(use.code) for use in redemption.uses}


def _redeemed(use: CodeUse) -> CodeUse:
    if use.discount is None:
        return use
    return replace(use, discount=replace(use.discount, status="redeemed"))
