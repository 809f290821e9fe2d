"""Discounts and counters as a booking changes them, in memory; the store writes the differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from adapter.discounts.benefits import by_key, joined, of_code
from adapter.model.actions import StoreCredit, UnitOff, Use
from adapter.model.codes import benefit_key, code_of
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import CounterReservation, DiscountRecord, Status
from adapter.model.redemptions import Redemption


class Ledger:
    """The discounts that were loaded, and the counters that were read.

    `records` are their benefits by key, each as a discount of its own; of most discounts that is the code.
    `differences` and `bounds` are as in `Changes`.
    """

    def __init__(self, records: Mapping[str, DiscountRecord], used: Mapping[ScopedKey, int]) -> None:
        self._codes = {held.discount.code: held for held in records.values()}
        self.records = by_key(self._codes.values())
        self.used = dict(used)
        self._changed: dict[str, None] = {}
        self.differences: dict[ScopedKey, int] = defaultdict(int)
        self.bounds: dict[ScopedKey, int] = {}

    def write(self, held: DiscountRecord) -> None:
        """Replace a discount, or one benefit of it."""
        key = held.discount.code
        code = code_of(key)
        self.records[key] = held
        self._changed[key] = None
        whole = self._codes[code]
        if whole.benefits is not UNSET:
            self._codes[code] = self._released(whole, self._joined(code))

    @property
    def written(self) -> dict[str, DiscountRecord]:
        """The discounts that changed, by code, each in its next version."""
        return {
            code: replace(self._joined(code), version=self._codes[code].version + 1)
            for code in dict.fromkeys(map(code_of, self._changed))
        }

    @property
    def discounts(self) -> dict[str, DiscountRecord]:
        """All discounts as they are now, by code."""
        return {code: self._joined(code) for code in self._codes}

    def _joined(self, code: str) -> DiscountRecord:
        whole = self._codes[code]
        return joined(
            whole, [self.records[benefit_key(code, at)] for at in range(len(whole.discount.benefits))]
        )

    def _released(self, before: DiscountRecord, after: DiscountRecord) -> DiscountRecord:
        """Return a code of which no benefit is used any more, and none can be, without its uses."""
        over = after.discount.status in ("expired", "revoked")
        if not over or not before.discount.begun or after.discount.begun:
            return after
        uses = of_code(after)
        for claim in uses:
            self.count(claim, -claim.amount)
        return replace(
            after, claims=(*(replace(each, amount=0) for each in uses), *after.claims[len(uses) :])
        )

    def count(self, claim: CounterReservation, amount: int, *, bounded: bool = True) -> None:
        """Add to the counter of a claim; what is added must still be below its cap when it is written.

        A budget that grants what is left is not `bounded`: it must not have moved at all since it was read.
        """
        counter = (claim.scope, claim.key)
        if amount > 0 and bounded:
            bound = claim.cap - self.differences[counter] - amount
            self.bounds[counter] = min(bound, self.bounds.get(counter, bound))
        self.differences[counter] += amount
        self.used[counter] = self.used.get(counter, 0) + amount

    def room(self, claim: CounterReservation) -> int:
        """Return what the counter of a claim has left."""
        return max(claim.cap - self.used.get((claim.scope, claim.key), 0), 0)


def spend(held: DiscountRecord, amount: Decimal, use: Use | None, now: datetime) -> DiscountRecord:
    """Return a discount with a balance after some of it was spent; units name their `use`."""
    action = held.discount.action
    if isinstance(action, UnitOff) and use is not None:
        left = action.remaining - use.units
        after: StoreCredit | UnitOff = replace(action, left=left, uses=(*action.uses, use))
    elif isinstance(action, StoreCredit):
        left = action.remaining - amount
        after = replace(action, left=left)
    else:
        raise TypeError("only a balance is spent in parts")
    status: Status = "redeemed" if left <= 0 else "issued"
    return replace(held, discount=replace(held.discount, action=after, status=status), moved_at=now)


def refill(
    held: DiscountRecord, amount: Decimal, units: Decimal, redemption: Redemption, now: datetime
) -> DiscountRecord:
    """Return a discount with a balance after some of it came back; an expired one stays expired."""
    action = held.discount.action
    if isinstance(action, UnitOff):
        uses = tuple(_less(action.uses, redemption, units))
        after: StoreCredit | UnitOff = replace(action, left=action.remaining + units, uses=uses)
    elif isinstance(action, StoreCredit):
        after = replace(action, left=action.remaining + amount)
    else:
        raise TypeError("only a balance is refilled")
    status: Status = "issued" if held.discount.status == "redeemed" else held.discount.status
    return replace(held, discount=replace(held.discount, action=after, status=status), moved_at=now)


def _less(uses: Iterable[Use], redemption: Redemption, units: Decimal) -> Iterable[Use]:
    """Yield the uses without the units that come back; without a redemption's id they match by order."""
    for use in uses:
        by_order = use.redemption is None and (use.order_id or "") == redemption.order_id
        if not units or not (by_order or use.redemption == redemption.id):
            yield use
            continue
        kept = use.units - min(units, use.units)
        units -= use.units - kept
        if kept:
            yield replace(use, units=kept)
