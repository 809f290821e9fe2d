"""A rule, and what a book makes of one event."""

from __future__ import annotations

from datetime import datetime

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history.history import History

ANN = Customer("user_1")
BASE = """
name: ten
trigger: checkout_started
conditions: [cart_value >= 120]
action: {type: percentage_off, value: 10, max_amount: 20}
"""
SEGMENTS = """
segments:
  rich: user.income >= 5
  staff: {source_ids: [emp_1], emails: [bob@shop.ex]}
"""


def outcome(verdict: Verdict) -> RuleOutcome:
    assert not verdict.proposals
    (only,) = verdict.outcomes
    return only


def decide(book: RuleSet, event: Event, customer: Customer = ANN, at: datetime | None = None) -> Verdict:
    return book.evaluate(event, customer, History(), at or event.occurred_at)
