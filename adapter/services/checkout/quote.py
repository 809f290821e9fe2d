"""Prices an order with the codes that may be used, against what is left of their budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from adapter.discounts.budgets import budget_currency, budget_name
from adapter.model.counter_key import ScopedKey
from adapter.model.discounts import CounterReservation
from adapter.model.money import from_minor_units
from adapter.pricing import Budget, Mode, Order, Pricing, Refusal, price
from adapter.services.checkout.candidates import Candidate, Unusable, fitted


class Quote(Struct, frozen=True):
    """An order with its codes; `unusable` are those that were not priced, each with its reason."""

    pricing: Pricing
    used: tuple[Candidate, ...]
    unusable: tuple[Unusable, ...]

    @property
    def refusal(self) -> tuple[str, Refusal] | None:
        """Why these codes cannot be redeemed together, None where they can."""
        if self.unusable:
            return self.unusable[0].code, self.unusable[0].refusal
        return self.pricing.refusal


def quote(
    order: Order,
    found: Sequence[Candidate],
    unusable: Sequence[Unusable],
    used: Mapping[ScopedKey, int],
    mode: Mode = "reject",
) -> Quote:
    """Return what the codes take off; `used` has the counters of the offers, absent ones are 0."""
    checked = [(one.offer.code, fitted(one, used)) for one in found]
    able = [one for _, one in checked if isinstance(one, Candidate)]
    full = [Unusable(code, refusal) for code, refusal in checked if isinstance(refusal, Refusal)]
    pricing = price(order, [one.terms for one in able], budgets=budgets(able, used), mode=mode)
    by_code = {one.offer.code: one for one in able}
    taking = tuple(by_code[result.code] for result in pricing.codes if result.refusal is None)
    return Quote(pricing, taking, (*unusable, *full))


def budgets(found: Iterable[Candidate], used: Mapping[ScopedKey, int]) -> dict[str, Budget]:
    """Return what is left of each budget; what an issued discount has reserved of it is its own to spend."""
    left: dict[str, int] = {}
    known: dict[str, tuple[CounterReservation, bool]] = {}
    for one in found:
        for claim in one.offer.claims:
            if budget_currency(claim) is None:
                continue
            name = budget_name(claim)
            left.setdefault(name, claim.cap - used.get((claim.scope, claim.key), 0))
            known[name] = claim, one.offer.partial
            if one.offer.discount is not None:
                left[name] += claim.amount
    return {name: _budget(left[name], claim, partial=partial) for name, (claim, partial) in known.items()}


def _budget(left: int, claim: CounterReservation, *, partial: bool) -> Budget:
    currency = budget_currency(claim)
    amount = from_minor_units(max(left, 0), currency or "") if currency else Decimal(0)
    return Budget(amount, currency, partial)
