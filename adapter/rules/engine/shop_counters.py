"""The caps and budgets of the whole shop that count for a rule at a moment."""

from __future__ import annotations

from datetime import datetime

from adapter.model.discounts import CounterReservation
from adapter.model.rules import Guardrails, Rule
from adapter.rules.engine.evaluate import blocks_of
from adapter.rules.guardrails.budget import cost
from adapter.rules.guardrails.counters import Counting


def shop_counters(rule: Rule, shop: Guardrails, at: datetime) -> list[CounterReservation]:
    """Return what one discount would reserve of the rule's own, its campaign's and the shop's counters."""
    counted = [Counting(name, block, cost(rule, block)) for name, block in blocks_of(rule, shop)]
    claims = [claim for each in counted if not each.idle for claim in each.claims("customer", None, at)]
    return [claim for claim in claims if not claim.scope]
