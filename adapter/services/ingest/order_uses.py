"""The codes on the orders of moves: which of them stack, and the hold that an application makes.

An applied discount is held without an end and without amounts: for its customer's cart, not for one
checkout. Its redemption takes over the hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from adapter.discounts.benefits import linked, split
from adapter.discounts.budgets import budget_currency
from adapter.errors import WrongMove
from adapter.model.actions import UnitOff
from adapter.model.codes import code_of, folded
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import DiscountRecord
from adapter.model.ids import is_personal
from adapter.model.operations import DiscountMove
from adapter.model.redemptions import CodeUse, Redemption, State
from adapter.pricing import conflict
from adapter.store.checkout_values import BookedState, BookingRequest

#: What becomes of the hold of an application, by the move that ends it.
_ENDS: dict[str, State] = {"release": "released", "revoke": "released", "expire": "expired"}


class OrderUses:
    """What is booked on orders, with what the moves of this transaction add.

    `written` has the redemptions and holds that changed, by id.
    """

    def __init__(self) -> None:
        self._on_orders: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._known: dict[str, Redemption] = {}
        self.written: dict[str, Redemption] = {}

    def fill(self, booked: BookedState) -> None:
        """Note what is booked."""
        self._known |= booked.redemptions
        for (order, code), id_ in booked.on_orders.items():
            self._on_orders[order][folded(code)] = id_

    @property
    def unread(self) -> list[str]:
        """The redemptions of orders that are not read yet."""
        named = {id_ for codes in self._on_orders.values() for id_ in codes.values()}
        return sorted(named.difference(self._known))

    def move(
        self, held: DiscountRecord, after: DiscountRecord, move: DiscountMove, now: datetime, id_: str
    ) -> DiscountRecord:
        """Book a move, and return the discount with it; `held` where its order has the code already.

        `id_` is that of a new booking. Raises WrongMove for a code that may not stand beside another one.
        """
        applied = self._known.get(held.terms.applied_in or "")
        if move.verb in ("apply", "redeem"):
            order = move.order_id or held.order_id or ""
            code = held.discount.code
            before = self._redeemed_on(order, code)
            if before is not None:
                return self._added(before, held, after)
            self._expect_combinable(after, order, now)
            booking = _booking(held, after, applied, id_)
            taken = self._on_orders[order].get(folded(code), booking.id) != booking.id
            # A checkout's hold may have the code in use on the order: it ends by itself.
            self._write(replace(booking, order_id="" if taken or held.terms.held_by else order))
        elif applied is not None and applied.state == "held":
            self._write(replace(applied, state=_ENDS[move.verb], revision=applied.revision + 1))
        return linked(after, id_ if move.verb == "apply" else None)

    def _write(self, redemption: Redemption) -> None:
        self._known[redemption.id] = self.written[redemption.id] = redemption
        for codes in self._on_orders.values():
            for code in [code for code, id_ in codes.items() if id_ == redemption.id]:
                del codes[code]
        if redemption.order_id and redemption.state in ("held", "redeemed"):
            for use in redemption.uses:
                self._on_orders[redemption.order_id][folded(use.code)] = redemption.id

    def _redeemed_on(self, order: str, code: str) -> Redemption | None:
        booked = self._known.get(self._on_orders[order].get(folded(code), "")) if order else None
        return booked if booked is not None and booked.state == "redeemed" else None

    def _added(self, before: Redemption, held: DiscountRecord, after: DiscountRecord) -> DiscountRecord:
        """Book benefits on an order that used others of the code; `held` where it used these already."""
        known = {use.key for use in before.uses}
        more = tuple(use for use in _uses(held, after) if use.key not in known)
        if not more:
            return held
        if before.refundable is not None:
            code, order = held.discount.code, before.order_id
            raise WrongMove(f"`{code}` was redeemed with the lines of order `{order}`; use another order")
        self._write(replace(before, uses=(*before.uses, *more), revision=before.revision + 1))
        return linked(after, None)

    def _expect_combinable(self, after: DiscountRecord, order: str, now: datetime) -> None:
        code, terms = after.discount.code, _use(after, after, 0)
        for fold, id_ in self._on_orders[order].items() if order else ():
            other = self._known.get(id_)
            if other is None or fold == folded(code) or not _keeps_others_out(other, now):
                continue
            for use in other.uses:
                if conflict(terms, use):
                    raise WrongMove(f"`{code}` cannot be combined with `{use.code}` on order `{order}`")


def wanted(moves: Iterable[tuple[DiscountMove, DiscountRecord]]) -> BookingRequest | None:
    """Return what moves of discounts need to know, None where that is nothing."""
    orders: set[str] = set()
    holds: set[str] = set()
    for move, held in moves:
        if held.terms.applied_in is not None:
            holds.add(held.terms.applied_in)
        order = move.order_id or held.order_id
        if order and move.verb in ("apply", "redeem"):
            orders.add(order)
    if not orders and not holds:
        return None
    return BookingRequest(redemptions=sorted(holds), orders=sorted(orders))


def held_counts(holds: Iterable[Redemption]) -> dict[ScopedKey, int]:
    """Return what holds of shared codes count beside their customers' own counters."""
    found: defaultdict[ScopedKey, int] = defaultdict(int)
    for hold in holds:
        for use in hold.uses if hold.state == "held" else ():
            for claim in use.claims if use.shared else ():
                if not is_personal(claim.scope):
                    found[claim.scope, claim.key] += claim.amount
    return found


def _keeps_others_out(other: Redemption, now: datetime) -> bool:
    """Tell whether codes must stack with a booking: applications leave that to redemptions."""
    return other.state_at(now) == "redeemed" or (other.state_at(now) == "held" and other.until is not None)


def _booking(held: DiscountRecord, after: DiscountRecord, applied: Redemption | None, id_: str) -> Redemption:
    """Return an application, or a redemption, without an order's lines: its amount is not known."""
    redeemed = after.discount.status != "applied"
    follows = redeemed and applied is not None and applied.state == "held"
    return Redemption(
        id=applied.id if applied is not None and follows else id_,
        source_id=held.source_id,
        state="redeemed" if redeemed else "held",
        at=after.moved_at,
        uses=_uses(held, after),
        revision=applied.revision + 1 if applied is not None and follows else 0,
    )


def _uses(held: DiscountRecord, after: DiscountRecord) -> tuple[CodeUse, ...]:
    """Return the use of each benefit that a move has applied or used."""
    if held.benefits is UNSET:
        return (_use(held, after, 0),)
    parts = zip(split(held), split(after), strict=True)
    return tuple(_use(before, now, at) for at, (before, now) in enumerate(parts) if _is_used(before, now))


def _is_used(before: DiscountRecord, now: DiscountRecord) -> bool:
    taken = now.discount.status in ("applied", "redeemed") or now.discount.action != before.discount.action
    return taken and now != before


def _use(held: DiscountRecord, after: DiscountRecord, benefit: int) -> CodeUse:
    before, left = held.discount.action, after.discount.action
    units = Decimal(0)
    if isinstance(before, UnitOff) and isinstance(left, UnitOff):
        units = before.remaining - left.remaining
    return CodeUse(
        code=code_of(held.discount.code),
        rule=held.rule,
        benefit=benefit,
        units=int(units.scaleb(6)),
        claims=tuple(claim for claim in held.claims if budget_currency(claim) is not None),
        restored=held.claims,
        on_refund=held.terms.on_refund,
        stackable=held.discount.stackable,
        stacking_group=held.terms.stacking_group,
        exclusive=held.terms.exclusive,
    )
