"""The checkout's verbs: validate, redeem, roll back, hold, qualify, and reads of what was booked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec.structs import replace

from adapter.errors import NotFound
from adapter.model.actions import StoreCredit
from adapter.model.codes import folded
from adapter.model.customers import Customer
from adapter.model.discounts import DiscountRecord
from adapter.model.pages import Page
from adapter.model.redemptions import Redemption
from adapter.pricing import MOST_CODES, Order, read_order, total_problem
from adapter.services.checkout import documents, replies
from adapter.services.checkout.booking import book
from adapter.services.checkout.candidates import bearer, candidates, counters
from adapter.services.checkout.failed_codes import FailedCodeCounter, expect_room, failed_by
from adapter.services.checkout.offers import Claim
from adapter.services.checkout.qualifying import MOST_HELD, known_codes, qualified
from adapter.services.checkout.quote import Quote, quote
from adapter.services.checkout.replies import Earlier, IdempotencyKey, Reply, keyed
from adapter.services.checkout.requests import Checkout, RollBack
from adapter.services.checkout.undoing import Undo, release, undo_redemption
from adapter.services.checkout.vouchers import WithVouchers
from adapter.services.checkout.wishes import BookingTools, Wish
from adapter.services.read_timeout import ReadTimeout
from adapter.store.checkout_values import CheckoutQuery, CheckoutView
from adapter.store.contract import Store

#: The caller of what messages say of orders.
STREAM = "stream"
#: Seconds for which a hold may last: a day.
MOST_TTL = 86_400
#: Pages of a customer's discounts among which those are looked for that may be used.
_PAGES = 20
#: Codes that one call adds to a pool.
MOST_POOL_CODES = 10_000
_CODE = re.compile(r"[A-Za-z0-9._-]{1,100}")
Filter = Literal["customer", "order", "code", "all"]
#: Keeps what was sent of a customer: called with the id and the document once something was redeemed.
Remember = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class CheckoutService:
    """Every verb raises Unavailable when the store cannot be used now, and InvalidOrder for an order.

    `caller` tells the callers apart, by their token. `wake` is called when pushes wait, `remember` with what
    was sent of a customer, and `complete` before rules ask for a customer's past.
    """

    def __init__(
        self,
        store: Store,
        terms: BookingTools,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        patience: ReadTimeout,
        *,
        wake: Callable[[], None] = lambda: None,
        remember: Remember | None = None,
        complete: Callable[[Collection[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._terms = terms
        self._clock = clock
        self._new_id = new_id
        self._read = patience.read
        self._wake = wake
        self._remember = remember
        self._complete = complete
        self._failed = FailedCodeCounter(store, clock)

    async def validate(self, request: Checkout, caller: str = "", key: str | None = None) -> Reply:
        """Return what the codes take off an order; with `reserve` they are held for the session."""
        checked = self._checked(request)
        if isinstance(checked, Reply):
            return checked
        view = await self._looked(request, caller)
        if request.reserve is not None:
            if not 1 <= request.reserve.ttl <= MOST_TTL:
                message = f"`reserve.ttl` must be a number of seconds from 1 to {MOST_TTL:,}"
                return replies.refusal("invalid_ttl", message, 422)
            wish = self._wish(request, checked, keyed(key, caller, "hold", request))
            reply = await self._book(replace(wish, ttl=timedelta(seconds=request.reserve.ttl)))
            await self._failed.note(caller, request.source_id, _wrong_in(reply))
        else:
            found = await self._quoted(request, checked, view)
            reply = Reply.of(documents.quoted(found) | documents.warnings(checked))
            await self._failed.note(caller, request.source_id, _wrong(found))
        return reply

    async def redeem(self, request: Checkout, caller: str = "", key: str | None = None) -> Reply:
        """Book the codes on an order, or a hold: all of them or none."""
        order = None if request.order is None and request.hold else self._checked(request)
        if isinstance(order, Reply):
            return order
        streamed = caller == STREAM  # it sends the coupons of others too: it guesses none
        await self._looked(request, None if streamed else caller)
        wish = self._wish(request, order, keyed(key, caller, "redeem", request))
        reply = await self._book(replace(wish, origin="stream" if streamed else "checkout"))
        await self._failed.note(caller, request.source_id, 0 if streamed else _wrong_in(reply))
        if reply.status == 200 and self._remember is not None and len(request.customer) > 1:
            await self._remember(request.source_id, request.customer)
        return reply

    async def redeem_unpriced(self, request: Checkout, key: str | None = None) -> Reply:
        """Book shared codes and vouchers on an order of the event stream whose lines are not known.

        The request's order has the attributes that conditions read.
        """
        await self._looked(request)
        wish = self._wish(request, None, keyed(key, STREAM, "redeem", request))
        return await self._book(replace(wish, origin="stream", unpriced=True))

    def shares(self, code: str) -> bool:
        """Tell whether a rule shares a code with everybody."""
        return self._terms.shared.any_of((code,))

    async def takes_unpriced(self, code: str) -> bool:
        """Tell whether everybody may use a code on an order whose lines are not known.

        Not so a gift card, since what the order took of it is not known either.
        """
        if self.shares(code):
            return True
        view = await self._read(self._store.checkout(CheckoutQuery((code,), "", (), self._clock())))
        return any(not isinstance(each.action, StoreCredit) for each in view.vouchers.values())

    async def roll_back(self, asked: RollBack, caller: str = "", key: str | None = None) -> Reply:
        """Give back a redemption, whole or in part; raises NotFound."""
        known = await self._known(asked.redemption)
        if asked.lines is not None and asked.amount is not None:
            return replies.refusal("unreadable", "give `lines` or an `amount`, not both", 400)
        if asked.lines == ():
            return replies.refusal("unreadable", "`lines` is empty: omit it to roll back everything", 400)
        remembered = keyed(key, caller, "rollback", asked)
        undo = Undo(known=known, now=self._clock(), id=self._new_id(), keyed=remembered)
        reply = await self._store.transact(
            lambda opened: undo_redemption(opened, undo, asked, self._terms.pushes)
        )
        self._wake()
        return reply

    async def release(self, id_: str) -> Reply:
        """Release a hold; raises NotFound. One that is over already stays as it is."""
        known = await self._known(id_)
        if known.state in ("redeemed", "rolled_back"):
            return replies.refusal("hold_confirmed", "the hold was redeemed: roll back the redemption")
        after = await self._release(known, "released")
        if after.state in ("redeemed", "rolled_back"):
            return replies.refusal("hold_confirmed", "the hold was redeemed: roll back the redemption")
        return Reply.of(documents.booked(after, self._clock()))

    async def expire_holds(self, limit: int = 500) -> int:
        """Give back what holds took whose time is over; returns how many there were."""
        lapsed = await self._store.lapsed_holds(self._clock(), limit)
        return await self._expire(lapsed)

    async def qualify(self, request: Checkout) -> Reply:
        """Return what a customer holds and what an order would get of it; nothing is written."""
        checked = self._checked(request)
        if isinstance(checked, Reply):
            return checked
        await self._complete_past(request.source_id)
        source_id = request.source_id
        claim = await self._claim(request, checked, source_id, await self._customer(source_id), shared=True)
        held = await self._held(request, MOST_HELD + 1)
        known = known_codes(list(held.values()), claim, self._terms.shared, self._terms.read)
        used = await self._read(self._store.used(known.counters))
        found = qualified(checked, known, used)
        told = [*documents.warnings(checked).get("warnings", ()), *found.get("warnings", ())]
        return Reply.of(found | ({"warnings": told} if told else {}))

    async def redemption(self, id_: str) -> Reply:
        """Return a redemption or a hold; raises NotFound."""
        return Reply.of(documents.booked(await self._known(id_), self._clock()))

    async def redemptions(self, by: Filter, name: str, before: str | None, *, holds: bool = False) -> Reply:
        """Return a page of redemptions, or of holds, newest first."""
        wanted = folded(name) if by == "code" else name
        found: Page[Redemption] = await self._read(self._store.redemptions(by, wanted, before=before))
        states = ("held", "released", "expired") if holds else ("redeemed", "rolled_back")
        rows = [documents.booked(each, self._clock()) for each in found if each.state in states]
        return Reply.of({"holds" if holds else "redemptions": rows, "next": found.next})

    async def rollbacks(self, id_: str) -> Reply:
        """Return what was rolled back of a redemption, the oldest first; raises NotFound."""
        await self._known(id_)
        found = await self._read(self._store.rollbacks(id_))
        return Reply.of({"rollbacks": [documents.rolled_back(each) for each in found], "next": None})

    async def add_codes(self, pool: str, codes: Sequence[str]) -> Reply:
        """Add codes to a pool; those that a discount or a pool has already are left out and reported."""
        wrong = [code for code in codes if not _CODE.fullmatch(code)]
        if wrong or not _CODE.fullmatch(pool) or not 0 < len(codes) <= MOST_POOL_CODES:
            message = f"codes have up to 100 letters, digits, `-`, `_` and `.`; {MOST_POOL_CODES:,} per call"
            return replies.refusal("invalid_codes", message, 422, codes=wrong[:20])
        added = set(await self._store.add_pool_codes(pool, codes, self._clock()))
        left_out = [code for code in dict.fromkeys(codes) if code not in added]
        return Reply.of({"pool": pool, "added": len(added), "left_out": left_out})

    async def pools(self) -> Reply:
        """Return how many codes each pool has left."""
        return Reply.of({"pools": await self._read(self._store.pools())})

    def _checked(self, request: Checkout) -> Order | Reply:
        """Return the order of a request; a reply where it is refused."""
        if len(request.codes) > MOST_CODES:
            return replies.refusal("too_many_codes", f"an order takes at most {MOST_CODES} codes", 422)
        order = read_order({} if request.order is None else request.order)
        problem = total_problem(order) if request.strict else None
        if problem is not None:
            message = f"`{problem.path}` {problem.message}"
            return replies.refusal(problem.code, message, 422)
        return order

    async def _quoted(self, request: Checkout, order: Order, view: CheckoutView) -> Quote:
        records = {held.discount.code: held for held in view.discounts}
        records |= await self._held(request) if request.best else {}
        whose = request.source_id or bearer(request.codes, records)
        customer = view.customer if whose == request.source_id else await self._customer(whose)
        claim = await self._claim(request, order, whose, customer, shared=self._shares(request.codes))
        codes = request.codes if not request.best else tuple(dict.fromkeys((*request.codes, *records)))
        shared = WithVouchers(self._terms.shared, view.vouchers)
        found, unusable = candidates(codes[:MOST_CODES], records, shared, claim, self._terms.read)
        used = await self._read(self._store.used(counters(one.offer for one in found)))
        return quote(order, found, unusable, used, "best" if request.best else request.mode)

    async def _customer(self, source_id: str) -> Customer | None:
        return await self._read(self._store.customer(source_id)) if source_id else None

    async def _claim(
        self, request: Checkout, order: Order, source_id: str, customer: Customer | None, *, shared: bool
    ) -> Claim:
        """Return who claims codes; their past is read only where a shared one is among these."""
        history = b""
        if customer is not None and shared:
            history = (await self._read(self._store.held(source_id, apart=True))).history
        return Claim(
            source_id=customer.source_id if customer else source_id,
            now=self._clock(),
            cart=order,
            customer=customer,
            history=history,
            sent=request.customer,
            order=request.order or {},
            context=request.context,
        )

    async def _held(self, request: Checkout, most: int = MOST_CODES) -> dict[str, DiscountRecord]:
        """Return the newest discounts that a customer may use."""
        found: dict[str, DiscountRecord] = {}
        now, before = self._clock(), None
        for _ in range(_PAGES if request.source_id else 0):
            page = await self._read(self._store.discounts(request.source_id, before=before))
            usable = [each for each in page if each.status_at(now) in ("issued", "applied")]
            found |= {each.discount.code: each for each in usable}
            before = page.next
            if before is None or len(found) >= most:
                break
        return dict(list(found.items())[:most])

    def _wish(self, request: Checkout, order: Order | None, remembered: IdempotencyKey | None) -> Wish:
        return Wish(request=request, order=order, now=self._clock(), id=self._new_id(), keyed=remembered)

    async def _book(self, wish: Wish) -> Reply:
        wish = replace(wish, known=await self._about(wish.request))
        reply = await self._store.transact(lambda opened: book(opened, wish, self._terms))
        self._wake()
        return await self._of_same_customer(reply, wish.request) if isinstance(reply, Earlier) else reply

    async def _of_same_customer(self, earlier: Earlier, request: Checkout) -> Reply:
        """Return an earlier answer if its customer is the one of the request, under another id."""
        names = earlier.source_id, request.source_id
        known = [await self._read(self._store.customer(name)) for name in names]
        one, other = (each.source_id if each else name for each, name in zip(known, names, strict=True))
        return earlier.reply if one == other else replies.reused()

    async def _about(self, request: Checkout) -> Sequence[Redemption]:
        """Return the hold that is named, and what is booked on the same order."""
        found: list[Redemption] = []
        if request.hold is not None:
            hold = await self._read(self._store.redemption(request.hold))
            found += [hold] if hold is not None else []
        if request.order_id:
            found += await self._read(self._store.redemptions("order", request.order_id))
        return list({each.id: each for each in found}.values())

    async def _known(self, id_: str) -> Redemption:
        found = await self._read(self._store.redemption(id_))
        if found is None:
            raise NotFound("there is nothing under that id")
        return found

    async def _looked(self, request: Checkout, caller: str | None = None) -> CheckoutView:
        """Read what a request is about, once lapsed holds of its codes are over.

        The customer's past is completed where a code asks for it. Raises TooManyFailedCodes for a `caller`.
        """
        failed = [] if caller is None else failed_by(caller, request.source_id)
        wanted = CheckoutQuery(request.codes, request.source_id, failed, self._clock())
        view = await self._read(self._store.checkout(wanted))
        expect_room(view.failed, wanted.now)
        if view.lapsed:
            await self._expire(view.lapsed)
            view = await self._read(self._store.checkout(wanted))
        if self._shares(request.codes):
            await self._complete_past(request.source_id)
        return view

    def _shares(self, codes: Sequence[str]) -> bool:
        return self._terms.shared.any_of(codes)

    async def _complete_past(self, source_id: str) -> None:
        if self._complete is not None and source_id:
            await self._complete([source_id])

    async def _expire(self, ids: Sequence[str]) -> int:
        for id_ in ids:
            known = await self._store.redemption(id_)
            if known is not None:
                await self._release(known, "expired")
        return len(ids)

    async def _release(self, known: Redemption, state: Literal["released", "expired"]) -> Redemption:
        undo = Undo(known=known, now=self._clock())
        after = await self._store.transact(lambda opened: release(opened, undo, state, self._terms.pushes))
        self._wake()
        return after


def _wrong(found: Quote) -> int:
    return sum(1 for one in found.unusable if one.refusal.reason == "code_not_found")


def _wrong_in(reply: Reply) -> int:
    """Return how many codes of a refused booking are none; the error itself repeats the first."""
    return max(bytes(reply.body).count(b'"code_not_found"') - 1, 0)
