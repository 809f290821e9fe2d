"""What rules have issued, what that can still cost, and what it came to, by day and currency.

Discounts are read a page at a time, and redemptions are summed by the store, a rule at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct

from adapter.discounts.benefits import split
from adapter.discounts.budgets import budget_currency, budget_name
from adapter.errors import NotFound
from adapter.model.actions import StoreCredit
from adapter.model.discounts import DiscountRecord
from adapter.model.money import from_minor_units, minor_units
from adapter.pricing.numbers import money
from adapter.rules.guardrails.valuation import most
from adapter.services.loaded_files import LoadedFiles
from adapter.services.read_timeout import ReadTimeout
from adapter.store.checkout_values import BookedFigures, Issued
from adapter.store.contract import Store

#: So many discounts are read at once.
PAGE = 500
_ZERO = Decimal(0)


class Figures(Struct):
    """Counts of discounts and sums of money in one currency, which is empty where it is not known.

    `open` discounts can still cost `liability` at most. Nothing limits those that are `unbounded`: of them it
    has what budgets have reserved. Of `redeemed` uses `amount_unknown` have no amount; the others took
    `redeemed_amount`. Of these `rolled_back` were rolled back whole, and `rolled_back_amount` was returned,
    partial rollbacks included.
    """

    issued: int = 0
    open: int = 0
    unbounded: int = 0
    liability: Decimal = _ZERO
    redeemed: int = 0
    amount_unknown: int = 0
    redeemed_amount: Decimal = _ZERO
    rolled_back: int = 0
    rolled_back_amount: Decimal = _ZERO
    expired: int = 0
    revoked: int = 0

    def add(self, other: Figures) -> None:
        """Add other figures of the same currency."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class RuleFigures(Struct):
    """The figures of one rule by day (UTC) and currency.

    A discount counts as issued and open on the day when it was issued, as expired and revoked on the day when
    it became so. A redemption counts, with what was rolled back of it, on the day when it was booked.
    """

    rule: str
    days: dict[tuple[date, str], Figures]

    def totals(self) -> dict[str, Figures]:
        """Return the figures of all days by currency."""
        found: dict[str, Figures] = defaultdict(Figures)
        for (_, currency), figures in self.days.items():
            found[currency].add(figures)
        return dict(found)


def document(figures: RuleFigures) -> dict[str, Any]:
    """Return figures as JSON values: `totals` by currency and `days`, amounts as text."""
    days = sorted(figures.days.items())
    totals = sorted(figures.totals().items())
    return {
        "rule": figures.rule,
        "totals": [{"currency": currency, **_plain(each, currency)} for currency, each in totals],
        "days": [
            {"day": day.isoformat(), "currency": currency, **_plain(each, currency)}
            for (day, currency), each in days
        ],
    }


def _plain(figures: Figures, currency: str) -> dict[str, int | str]:
    found = ((name, getattr(figures, name)) for name in figures.__struct_fields__)
    return {
        name: money(minor_units(value, currency), currency) if isinstance(value, Decimal) else value
        for name, value in found
    }


class RuleFiguresReader:
    """Reads figures; `patience` bounds each read of the store, not all of them.

    Raises Unavailable while the store cannot be read.
    """

    def __init__(
        self, store: Store, books: LoadedFiles, clock: Callable[[], datetime], patience: ReadTimeout
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock
        self._read = patience.read

    async def of(self, rule: str) -> RuleFigures:
        """Return the figures of one rule; raises NotFound where files and store do not know it."""
        found = await self._found(rule)
        if rule in found:
            return found[rule]
        if all(known.name != rule for known in self._books.rules.rules):
            raise NotFound(f"no rule is named `{rule}`, and no discount of such a rule was issued")
        return RuleFigures(rule, {})

    async def all(self) -> list[RuleFigures]:
        """Return the figures of all rules of which anything was issued or redeemed, by name."""
        found = await self._found(None)
        return [found[rule] for rule in sorted(found)]

    async def _found(self, rule: str | None) -> dict[str, RuleFigures]:
        found: dict[str, RuleFigures] = {}
        after: str | None = ""
        while after is not None:
            page = await self._read(self._store.issued(after, PAGE))
            _count(found, (each for each in page if rule in (None, each.held.rule)), self._clock())
            after = page.next
        for name in [rule] if rule is not None else await self._booked_rules():
            for each in await self._read(self._store.booked_figures(name)):
                _at(found, name, each.day, each.currency).add(_booked(each))
        return found

    async def _booked_rules(self) -> list[str]:
        found: list[str] = []
        while (name := await self._read(self._store.booked_rule(found[-1] if found else ""))) is not None:
            found.append(name)
        return found


def cost_bound(held: DiscountRecord) -> Decimal | None:
    """Return the most that an open discount can still cost; None where nothing limits it."""
    if held.benefits is not UNSET:
        left = [cost_bound(part) for part in split(held) if part.discount.status in ("issued", "applied")]
        known = [each for each in left if each is not None]
        return sum(known, _ZERO) if len(known) == len(left) else None
    action, cost = held.discount.action, most(held.discount.action)
    if isinstance(action, StoreCredit):
        return action.remaining if cost is None else min(cost, action.remaining)
    return cost


def cost_reserved(held: DiscountRecord) -> Decimal:
    """Return what the budget that has reserved the most for a discount has reserved."""
    amounts: dict[str, Decimal] = {}
    for part in split(held):
        for claim in part.claims if part.discount.status in ("issued", "applied") else ():
            if (currency := budget_currency(claim)) is not None:
                name = budget_name(claim)
                amounts[name] = amounts.get(name, _ZERO) + from_minor_units(claim.amount, currency)
    return max(amounts.values(), default=_ZERO)


def cost_currency(held: DiscountRecord) -> str:
    """Return the currency of what a discount can cost; empty where nothing says it."""
    budgets = [currency for claim in held.claims if (currency := budget_currency(claim)) is not None]
    own = (each.action.currency for each in held.discount.benefits if each.action.currency)
    return next(own, None) or held.terms.currency or next(iter(budgets), "")


def _at(found: dict[str, RuleFigures], rule: str, day: date, currency: str) -> Figures:
    return found.setdefault(rule, RuleFigures(rule, {})).days.setdefault((day, currency), Figures())


def _count(found: dict[str, RuleFigures], page: Iterable[Issued], now: datetime) -> None:
    for each in page:
        held, currency = each.held, cost_currency(each.held)
        day = _at(found, held.rule, _day(held.issued_at), currency)
        day.issued += 1
        status = held.status_at(now)
        if status in ("issued", "applied"):
            _open(day, held)
        elif status == "expired":
            _at(found, held.rule, _day(held.discount.expires_at or held.moved_at), currency).expired += 1
        elif status == "revoked":
            _at(found, held.rule, _day(held.moved_at), currency).revoked += 1
        elif not each.booked:
            used = _at(found, held.rule, _day(held.moved_at), currency)
            used.redeemed, used.amount_unknown = used.redeemed + 1, used.amount_unknown + 1


def _open(day: Figures, held: DiscountRecord) -> None:
    bound = cost_bound(held)
    day.open += 1
    day.unbounded += bound is None
    day.liability += cost_reserved(held) if bound is None else bound


def _booked(each: BookedFigures) -> Figures:
    return Figures(
        redeemed=each.redeemed,
        amount_unknown=each.unknown,
        redeemed_amount=from_minor_units(each.amount, each.currency),
        rolled_back=each.rolled_back,
        rolled_back_amount=from_minor_units(each.returned, each.currency),
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
