"""How much is used of the caps and budgets that count for rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from adapter.model.discounts import CounterReservation
from adapter.model.money import from_minor_units
from adapter.model.rules import Rule
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.shop_counters import shop_counters
from adapter.rules.guardrails.budget import counted_currency
from adapter.rules.guardrails.periods import in_words
from adapter.services.read_timeout import ReadTimeout
from adapter.store.contract import Store


class Cap(Struct, frozen=True):
    """A cap or a budget: `used` of `cap`, in `currency` where it counts money. `guardrail` is its name.

    `period` is `today`, `this week`, `this month` or `in all`. A `shared` one counts other rules too.
    """

    guardrail: str
    period: str
    used: Decimal
    cap: Decimal
    currency: str
    shared: bool


async def caps(
    store: Store, book: RuleSet, rules: Iterable[Rule], now: datetime, patience: ReadTimeout
) -> dict[str, list[Cap]]:
    """Return the caps of rules, by rule; one read of the store for all of them."""
    claims = {rule.name: shop_counters(rule, book.guardrails, now) for rule in rules}
    keys = list(dict.fromkeys((each.scope, each.key) for found in claims.values() for each in found))
    used = await patience.read(store.used(keys)) if keys else {}
    return {
        name: [_cap(each, used.get((each.scope, each.key), 0)) for each in found]
        for name, found in claims.items()
    }


def _cap(claim: CounterReservation, used: int) -> Cap:
    currency = counted_currency(claim) or ""
    used_up, cap = (
        from_minor_units(each, currency) if currency else Decimal(each) for each in (used, claim.cap)
    )
    return Cap(claim.guardrail, in_words(claim.key), used_up, cap, currency, "." in claim.guardrail)
