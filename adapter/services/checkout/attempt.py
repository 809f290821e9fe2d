"""One run of a booking, between what was loaded and what is saved: give back a hold, price, take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from adapter.discounts.benefits import split, unapplied
from adapter.model.codes import benefit_key, folded
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.redemptions import CodeUse, Redemption
from adapter.pricing import MOST_CODES, Order, redeemed
from adapter.services.checkout import documents, reasons, replies
from adapter.services.checkout.beside import conflicting, is_application, refused_beside
from adapter.services.checkout.candidates import Candidate, Unusable, bearer, candidates, counters
from adapter.services.checkout.giving_back import confirmable, everything, give_back, personal
from adapter.services.checkout.hold_owner import given_to_owner, room_for_owner
from adapter.services.checkout.known_bookings import hold_by_id, hold_by_order, same_lines
from adapter.services.checkout.ledger import Ledger
from adapter.services.checkout.offers import Claim
from adapter.services.checkout.quote import Quote, quote
from adapter.services.checkout.replies import Reply
from adapter.services.checkout.requests import Checkout
from adapter.services.checkout.taking import Booking, confirm, take
from adapter.services.checkout.unpriced import take_unpriced, unpriced
from adapter.services.checkout.vouchers import WithVouchers
from adapter.services.checkout.wishes import BookingTools, Wish
from adapter.services.ingest.identities import IdentityGraph
from adapter.store.checkout_values import BookedState
from adapter.store.values import Changes, LoadedState


class BookingAttempt:
    """One run of the script, between what was loaded and what is saved."""

    def __init__(self, wish: Wish, terms: BookingTools, loaded: LoadedState, booked: BookedState) -> None:
        self._wish = wish
        self._terms = terms
        self._records = loaded.discounts
        self._booked = booked
        self._people = people = IdentityGraph(loaded)
        given = wish.request.source_id
        owner = people.resolve(given) if given else bearer(wish.request.codes, loaded.discounts)
        self._hold = hold_by_id(wish.request.hold, booked)
        if wish.request.hold is None and owner:
            self._owner = owner
            self._hold = hold_by_order(wish.request.codes, self._on_order(), self._mine)
        holder = self._resolved(self._hold)
        self._owner = owner or holder
        self._of_another = bool(owner and holder) and holder != owner
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
        self._ended: list[Redemption] = []

    def counters(self) -> list[ScopedKey]:
        """Return the counters that may be moved."""
        held = [claim for use in (self._hold.uses if self._hold else ()) for claim in use.claims]
        named = {(claim.scope, claim.key) for claim in held}
        if self._hold is not None:
            scopes = self._hold.source_id, self._owner
            named |= {(scope, claim.key) for claim in held if personal(claim) for scope in scopes}
        return sorted({*counters(one.offer for one in self._found), *named, *_reserved(self._records)})

    def reserve(self, used: Mapping[ScopedKey, int]) -> None:
        """Take note of the counters."""
        self._ledger = Ledger(self._records, used)

    def reply(self) -> Reply:
        """Book, and return what is answered."""
        refusal = self._refused_hold() or self._repeated_order()
        if refusal is not None:
            return refusal
        if self._wish.unpriced:
            return self._unpriced()
        if self._hold is not None and self._wish.order is None:
            return self._unconfirmable(self._hold) or self._confirmed(self._hold)
        if self._wish.order is None:
            return replies.refusal("order_needed", "an order is needed, or the hold of one", 400)
        if self._hold is not None:
            give_back(self._ledger, self._hold, everything(self._hold, self._wish.now))
            self._found, self._unusable = self._candidates(self._ledger.discounts)
        found = quote(
            self._wish.order, self._found, self._unusable, self._ledger.used, self._wish.request.mode
        )
        return self._refused(found) or self._beside(found) or self._taken(found, self._wish.order)

    def changes(self, reply: Reply) -> Changes | None:
        """Return what is saved: what was booked, and the answer under its key."""
        keyed, ledger, redemption = self._wish.keyed, self._ledger, self._redemption
        if keyed is None and redemption is None:
            return None
        owned = redemption is not None and bool(self._owner)
        answers = {keyed.message: replies.kept(keyed, reply, owned=owned)} if keyed else {}
        if redemption is None:
            return Changes(self._wish.now, answers)
        rewarded = dict.fromkeys(answers, self._owner) if self._owner else {}
        kind = "redemption.held" if redemption.state == "held" else "redemption.created"
        pushed = self._terms.pushes.of(kind, reply.body, redemption, ledger.written.values(), self._wish.now)
        return Changes(
            seen_at=self._wish.now,
            answers=answers,
            rewarded=rewarded,
            discounts=list(ledger.written.values()),
            counters=ledger.differences,
            bounds=ledger.bounds,
            deliveries=list(pushed),
            redemptions=[redemption, *self._ended],
        )

    def _on_order(self) -> BookedState:
        """Return what is booked on the order of which the discounts are loaded."""
        known = {each.id for each in self._wish.known}
        redemptions = {id_: each for id_, each in self._booked.redemptions.items() if id_ in known}
        return replace(self._booked, redemptions=redemptions)

    def _resolved(self, redemption: Redemption | None) -> str:
        """Return whose a redemption is now, empty where nobody was named."""
        if redemption is None or not redemption.source_id:
            return ""
        return self._people.resolve(redemption.source_id)

    def _mine(self, hold: Redemption) -> bool:
        return hold.state_at(self._wish.now) == "held" and self._resolved(hold) == self._owner

    def _candidates(self, records: Mapping[str, DiscountRecord]) -> tuple[list[Candidate], list[Unusable]]:
        request, now = self._wish.request, self._wish.now
        codes: Iterable[str] = request.codes
        if not codes and self._hold is not None:
            codes = dict.fromkeys(use.code for use in self._hold.uses)
        if request.best:
            mine = [held for held in records.values() if held.source_id == self._owner]
            mine.sort(key=lambda held: (held.issued_at, held.discount.code), reverse=True)
            held_codes = [held.discount.code for held in mine if held.status_at(now) in ("issued", "applied")]
            given = list(codes)
            named = set(map(folded, given))
            codes = [*given, *(code for code in held_codes if folded(code) not in named)][:MOST_CODES]
        hold = None if self._hold is None else self._hold.id
        shared = WithVouchers(self._terms.shared, self._booked.vouchers)
        return candidates(codes, records, shared, self._claim, self._terms.read, hold=hold)

    def _refused_hold(self) -> Reply | None:
        if self._hold is not None and self._of_another:
            code = self._hold.uses[0].code
            return replies.not_redeemable(code, reasons.wrong_customer(code), {})
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
        if first is not None and same and request.hold is None and self._redeemed_for_owner(first):
            return self._again(first)
        code = {met[0]: met[0], **names}[met[0]]
        held_now = first is not None and first.state == "held"
        return replies.not_redeemable(
            code, (reasons.held_on_order if held_now else reasons.already_on_order)(code), {}
        )

    def _redeemed_for_owner(self, first: Redemption) -> bool:
        """Tell whether a redemption is that of the same customer, as far as both name one."""
        owners = self._resolved(first), self._owner
        return first.state == "redeemed" and (not all(owners) or owners[0] == owners[1])

    def _again(self, first: Redemption) -> Reply:
        """Return the answer of the first redemption, unless it was booked for other lines."""
        if self._wish.origin == "stream" or same_lines(first, self._wish.order):
            return Reply.of(documents.booked(first, self._wish.now))
        message = (
            f"the order was booked with other lines: roll back the redemption {first.id}, then redeem again"
        )
        return replies.refusal("order_differs", message, redemption=first.id)

    def _refused(self, found: Quote) -> Reply | None:
        refusal = found.refusal
        if refusal is None and found.used:
            return None
        document = documents.quoted(found)
        if refusal is None:
            return replies.refusal("no_codes", "no code is given", 400, **document)
        return replies.not_redeemable(*refusal, document)

    def _beside(self, found: Quote) -> Reply | None:
        refusal = refused_beside(found, self._others())
        return None if refusal is None else replies.not_redeemable(*refusal, documents.quoted(found))

    def _others(self) -> list[Redemption]:
        """Return what else is booked on the order; an application does not keep other codes from it."""
        own = self._hold.id if self._hold else None
        booked = self._booked.redemptions
        others = [booked[id_] for id_ in sorted(set(self._booked.on_orders.values())) if id_ in booked]
        return [each for each in others if each.id != own and not is_application(each)]

    def _taken(self, found: Quote, order: Order) -> Reply:
        wish = self._wish
        booking = self._booking(order.currency)
        results = {one.code: one for one in found.pricing.codes}
        self._end_applications(found.used)
        uses = [take(self._ledger, one, results[one.offer.code], booking) for one in found.used]
        self._end_unused(uses)
        document = documents.plain(documents.quoted(found) | documents.warnings(order))
        self._redemption = replace(
            self._new(booking, uses),
            currency=order.currency,
            refundable=msgspec.to_builtins(redeemed(found.pricing)),
            priced=document,
        )
        return Reply.of(documents.booked(self._redemption, wish.now))

    def _new(self, booking: Booking, uses: Sequence[CodeUse]) -> Redemption:
        """Return a new redemption, or a hold, which keeps nothing of what was sent."""
        wish, hold = self._wish, self._hold
        sent = wish.request if wish.ttl is None else Checkout()
        return Redemption(
            id=booking.id,
            source_id=self._owner,
            state="held" if wish.ttl else "redeemed",
            at=wish.now,
            uses=tuple(uses),
            order_id=booking.order_id,
            until=wish.now + wish.ttl if wish.ttl else None,
            revision=hold.revision + 1 if hold else 0,
            order=None if wish.unpriced else sent.order,
            # Without a customer's id nothing would lead an export or an erasure to it.
            customer=(dict(sent.customer) or None) if self._owner else None,
            context=dict(sent.context) or None,
            origin=wish.origin,
        )

    def _end_applications(self, used: Iterable[Candidate]) -> None:
        """End the holds that applications of these discounts have made: another booking takes their place."""
        own = self._hold.id if self._hold else None
        for one in used:
            applied = one.offer.discount.terms.applied_in if one.offer.discount else None
            hold = self._booked.redemptions.get(applied or "")
            if hold is not None and hold.id != own and hold.state == "held":
                self._ended.append(replace(hold, state="released", revision=hold.revision + 1))

    def _end_unused(self, uses: Sequence[CodeUse]) -> None:
        """Issue again the benefits that were applied with those that are used now."""
        for code in dict.fromkeys(use.code for use in uses if not use.shared):
            held = self._ledger.discounts[code]
            for at, part in enumerate(split(held)):
                ended = any(hold.id == part.terms.applied_in for hold in self._ended)
                if ended and benefit_key(code, at) not in {use.key for use in uses}:
                    self._ledger.write(unapplied(part))

    def _unpriced(self) -> Reply:
        """Redeem shared codes on an order without lines."""
        wish = self._wish
        found, refused = unpriced(self._found, self._ledger.used)
        unusable = [*self._unusable, *refused]
        if unusable or not found:
            code, refusal = (unusable[0].code, unusable[0].refusal) if unusable else ("", None)
            if refusal is None:
                return replies.refusal("no_codes", "no code is given", 400)
            return replies.not_redeemable(code, refusal, {})
        for one in found:
            beside = conflicting(one, self._others())
            if beside is not None:
                return replies.not_redeemable(*beside, {})
        booking = self._booking("")
        self._redemption = self._new(
            booking, [take_unpriced(self._ledger, one.offer, booking) for one in found]
        )
        return Reply.of(documents.booked(self._redemption, wish.now))

    def _unconfirmable(self, hold: Redemption) -> Reply | None:
        """Return why a hold cannot be redeemed as it is: a discount was revoked or redeemed meanwhile."""
        for use in hold.uses:
            held = self._ledger.records.get(use.key)
            if use.amount is None:
                return replies.refusal("order_needed", "the hold has no amounts: send the order", 400)
            full = not room_for_owner(self._ledger, use, hold, self._owner)
            if full:
                return replies.not_redeemable(use.code, reasons.used_up_by_customer(use.code), {})
            if use.shared or (held is not None and confirmable(held, hold)):
                continue
            revoked = held is not None and held.discount.status == "revoked"
            refusal = reasons.revoked(use.code) if revoked else reasons.used_up(use.code)
            return replies.not_redeemable(use.code, refusal, {})
        return None

    def _confirmed(self, hold: Redemption) -> Reply:
        booking, request = self._booking(hold.currency or ""), self._wish.request
        for use in hold.uses:
            confirm(self._ledger, use, booking)
        uses = [given_to_owner(self._ledger, use, hold, self._owner) for use in hold.uses]
        self._redemption = replace(
            hold,
            source_id=self._owner,
            state="redeemed",
            at=self._wish.now,
            until=None,
            order_id=booking.order_id,
            uses=tuple(map(_redeemed, uses)),
            revision=hold.revision + 1,
            customer=(dict(request.customer) or hold.customer) if self._owner else None,
            context=dict(request.context) or hold.context,
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


def _reserved(records: Mapping[str, DiscountRecord]) -> set[ScopedKey]:
    return {(claim.scope, claim.key) for held in records.values() for claim in held.claims}


def _codes(redemption: Redemption) -> set[str]:
    return {folded(use.code) for use in redemption.uses}


def _redeemed(use: CodeUse) -> CodeUse:
    if use.discount is None:
        return use
    return replace(use, discount=replace(use.discount, status="redeemed"))
