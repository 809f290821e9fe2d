"""Orders of the event stream: redeemed with amounts before their message is decided, rolled back after it.

Each call to the checkout has an idempotency key made of the message's, so that a message that comes again
books nothing twice, and goes on where it was cut off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from adapter.errors import Refused
from adapter.model.codes import folded
from adapter.model.discounts import DiscountRecord
from adapter.model.operations import DiscountMove, EventOccurred, OrderRedemption, OrderRollback
from adapter.model.redemptions import Redemption
from adapter.services.checkout.product_lines import returned_lines, with_distinct_lines
from adapter.services.checkout.replies import Reply
from adapter.services.checkout.requests import Checkout, RollBack
from adapter.services.checkout.service import STREAM, CheckoutService
from adapter.services.ingest.evaluations import told
from adapter.services.ingest.order_bookings import BookedWork
from adapter.services.ingest.result import Result
from adapter.services.ingest.work_item import Work
from adapter.services.loaded_files import LoadedFiles
from adapter.store.contract import Store

#: Among so many of a customer's events the order is looked for that earned something.
_PAGES = 10


class OrderStream:
    """Books what messages say of orders."""

    def __init__(
        self,
        store: Store,
        checkout: CheckoutService,
        files: LoadedFiles,
        submit: Callable[[Sequence[Work]], Awaitable[list[Result]]],
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._checkout = checkout
        self._files = files
        self._submit = submit
        self._clock = clock

    async def redeem(self, work: Work) -> BookedWork:
        """Redeem the codes of an order; returns the work without the moves that are done by it.

        A code that cannot be redeemed so, another customer's say, is left to its move.
        """
        discounts, reason, done = [], None, set[str]()
        for each in work.operations:
            if isinstance(each, OrderRedemption):
                reply, codes = await self._redeemed(work, each)
                done |= codes
                if reply is None or reply.status != 200:
                    # Worth nothing on this order: no use is taken.
                    reason = None if reply is None else _reason(reply)
                    continue
                discounts += told(work, await self._store.meant(sorted(codes)))
        for move in _redemptions(work):
            if folded(move.code) not in done and await self._checkout.takes_unpriced(move.code):
                reply = await self._redeemed_unpriced(work, move)
                done.add(folded(move.code))
                reason = reason if reply.status == 200 else _reason(reply)
        left = tuple(
            each
            for each in work.operations
            if not isinstance(each, OrderRedemption | OrderRollback)
            and not (isinstance(each, DiscountMove) and each.verb == "redeem" and folded(each.code) in done)
        )
        return BookedWork(replace(work, operations=left), discounts, reason)

    async def _redeemed_unpriced(self, work: Work, move: DiscountMove) -> Reply:
        """Redeem a code of everybody without amounts: the order came without lines, or cannot be priced."""
        customer = {} if move.source_id is None else {"source_id": move.source_id}
        events = [each.event for each in work.operations if isinstance(each, EventOccurred)]
        request = Checkout(
            codes=(move.code,),
            customer=customer,
            order=events[0].attributes if events else None,
            context=events[0].context if events else {},
            order_id=move.order_id or "",
        )
        key = f"{work.source} {work.key} {folded(move.code)}" if work.key else None
        return await self._checkout.redeem_unpriced(request, key)

    async def _redeemed(self, work: Work, asked: OrderRedemption) -> tuple[Reply | None, set[str]]:
        """Return the reply, and the folded codes that it settles."""
        codes = list(dict.fromkeys(asked.codes))
        customer = {} if asked.source_id is None else {"source_id": asked.source_id}
        while codes:
            request = Checkout(
                codes=tuple(codes),
                customer=customer,
                order=with_distinct_lines(asked.order),
                order_id=asked.order_id,
            )
            key = f"{work.source} {work.key} {len(codes)}" if work.key else None
            try:
                reply = await self._checkout.redeem(request, STREAM, key)
            except Refused:
                return None, set()  # the order cannot be priced
            error = msgspec.json.decode(reply.body).get("error", {})
            if reply.status == 200 or error.get("reason") == "no_effect":
                return reply, set(map(folded, codes))
            refused = folded(error.get("discount_code", ""))
            kept = [code for code in codes if folded(code) != refused]
            if len(kept) == len(codes):
                return None, set()
            codes = kept
        return None, set()

    async def roll_back(self, work: Work) -> None:
        """Roll back what was redeemed on a cancelled or refunded order, and revoke what it had earned."""
        for each in work.operations:
            if isinstance(each, OrderRollback):
                for redemption in await self._store.redemptions("order", each.order_id):
                    if redemption.state == "redeemed":
                        await self._rolled_back(work, each, redemption)
                if not each.lines:
                    await self._revoke_earned(each)

    async def _rolled_back(self, work: Work, asked: OrderRollback, redemption: Redemption) -> None:
        lines = returned_lines(asked.lines, redemption) if redemption.refundable is not None else None
        if asked.lines and lines == ():
            return  # none of what comes back was redeemed here
        request = RollBack(redemption=redemption.id, lines=lines or None, reason=asked.reason)
        key = f"{work.source} {work.key} {redemption.id}" if work.key else None
        await self._checkout.roll_back(request, STREAM, key)

    async def _revoke_earned(self, asked: OrderRollback) -> None:
        """Revoke what the order's own events have earned, unless it was used or its rule keeps it."""
        if asked.source_id is None:
            return
        events = await self._events_of(asked.source_id, asked.order_id)
        rules = {rule.name: rule for rule in self._files.rules.rules}
        now = self._clock()
        for held in await self._store.discounts(asked.source_id):
            rule = rules.get(held.rule)
            keep = rule is not None and rule.reward_on_refund == "keep"
            if held.event_id in events and not keep and _unused(held, now):
                move = DiscountMove(
                    "revoke", held.discount.code, reason=f"order `{asked.order_id}` was refunded"
                )
                await self._submit([Work("checkout", "", "", now, (move,))])

    async def _events_of(self, source_id: str, order_id: str) -> set[str]:
        found, before = set[str](), None
        for _ in range(_PAGES):
            page = await self._store.events(source_id, before=before)
            found |= {one.id for one in page if str(one.attributes.get("order_id")) == order_id}
            before = page.next
            if before is None:
                break
        return found


def _unused(held: DiscountRecord, now: datetime) -> bool:
    return held.status_at(now) in ("issued", "applied") and not held.discount.begun


def _redemptions(work: Work) -> list[DiscountMove]:
    return [each for each in work.operations if isinstance(each, DiscountMove) and each.verb == "redeem"]


def _reason(reply: Reply) -> str:
    message: str = msgspec.json.decode(reply.body)["error"]["message"]
    return message
