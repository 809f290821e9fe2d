"""Promotions: rules without a trigger that a customer claims with a shared code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from adapter.model.codes import folded
from adapter.model.customers import Customer
from adapter.model.events import Event
from adapter.rules.engine.issue import issue
from adapter.rules.engine.promotions import claim_of
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history.history import History

MakeBook = Callable[..., RuleSet]
SUMMER = """
name: summer
action: {type: percentage_off, value: 10, max_amount: 20, code: SUMMER10}
conditions: [cart_value >= 50, user.tier == "gold", 'context.channel == "web"', 'history.count("x") == 0']
"""
ANN = Customer("ann", traits={"tier": "gold"})


def claimed(
    book: RuleSet, now: datetime, customer: Customer = ANN, history: History | None = None, **order: Any
) -> Verdict:
    claim = claim_of("claim_1", customer, {"cart_value": 60, **order}, {"channel": "web"}, now)
    return book.evaluate_claim("summer", claim, customer, history or History(), now)


@pytest.mark.parametrize("typed", ["SUMMER10", "summer10", " Summer-10 ", "SUMMER 10"])
def test_a_promotion_is_found_by_its_code_in_every_spelling(typed: str, make_book: MakeBook) -> None:
    book = make_book(a=SUMMER)
    found = book.promotions.named(typed)
    assert found is not None
    assert (found.name, found.triggers, folded(typed)) == ("summer", (), "summer10")
    assert [rule.name for rule in book.promotions.rules] == ["summer"]
    assert book.promotions.named("WINTER10") is None


def test_a_claim_is_proposed_when_customer_order_context_and_history_meet_the_conditions(
    make_book: MakeBook, now: datetime
) -> None:
    verdict = claimed(make_book(a=SUMMER), now, currency="EUR")
    (proposal,) = verdict.proposals
    claim = claim_of("claim_1", ANN, {}, {}, now)
    record = issue(proposal, claim, "ann", "SUMMER10", now)
    assert record.discount.metadata == {
        "rule": "summer", "issued_for_event_id": "claim_1", "user_id": "ann",
    }  # fmt: skip
    assert (record.terms.currency, proposal.worth) == ("EUR", Decimal(6))


@pytest.mark.parametrize(
    ("customer", "order"),
    [(ANN, {"cart_value": 49.99}), (Customer("ann"), {}), (Customer("ann", traits={"tier": "basic"}), {})],
)
def test_a_claim_that_does_not_meet_the_conditions_says_why(
    customer: Customer, order: dict[str, Any], make_book: MakeBook, now: datetime
) -> None:
    verdict = claimed(make_book(a=SUMMER), now, customer, **order)
    assert verdict.proposals == ()
    assert [outcome.outcome for outcome in verdict.outcomes] == ["not_met"]


def test_history_counts_for_a_claim(
    make_book: MakeBook, make_event: Callable[..., Event], now: datetime
) -> None:
    book, history = make_book(a=SUMMER), History()
    book.fold(history, make_event(name="x", occurred_at=now))
    assert [each.outcome for each in claimed(book, now, history=history).outcomes] == ["not_met"]


@pytest.mark.parametrize(
    ("more", "outcome", "guardrail"),
    [
        ("guardrails: {excluded_segments: [staff]}", "withheld", "excluded_segments"),
        ("guardrails: {channels: [app]}", "withheld", "channels"),
        ("guardrails: {schedule: {until: '2020-01-01T00:00:00Z'}}", "withheld", "schedule"),
        ("rollout: {percent: 0}", "withheld", "rollout"),
        ("rollout: {control: 100}", "control", "rollout"),
        ("status: paused", "withheld", "status"),
        ("status: shadow", "shadow", "status"),
    ],
)
def test_guardrails_and_rollout_hold_for_claims(
    more: str, outcome: str, guardrail: str, make_book: MakeBook, now: datetime
) -> None:
    staff = "segments: {staff: {source_ids: [ann]}}"
    verdict = claimed(make_book(a=SUMMER + more, definitions=staff), now)
    assert [(each.outcome, each.guardrail) for each in verdict.outcomes] == [(outcome, guardrail)]


def test_a_claim_reserves_the_counters_of_its_rule(make_book: MakeBook, now: datetime) -> None:
    limits = "guardrails: {max_total_redemptions: 1000, per_user_limit: 1}"
    (proposal,) = claimed(make_book(a=SUMMER + limits), now).proposals
    assert sorted((claim.scope, claim.cap, claim.amount) for claim in proposal.claims) == [
        ("", 1000, 1), ("ann", 1, 1),
    ]  # fmt: skip


def test_no_event_triggers_a_promotion(
    make_book: MakeBook, make_event: Callable[..., Event], now: datetime
) -> None:
    book = make_book(a=SUMMER)
    assert not book.needs("promotion_claimed")
    event = make_event(name="promotion_claimed", attributes={"cart_value": 60})
    assert book.evaluate(event, ANN, History(), now).proposals == ()
    assert book.evaluate_claim("gone", event, ANN, History(), now).outcomes == ()


def test_a_rule_with_a_pool_is_proposed_and_names_its_pool(
    make_book: MakeBook, make_event: Callable[..., Event], now: datetime
) -> None:
    book = make_book(a="name: p\ntrigger: x\naction: {type: free_shipping, code_pool: partner-x}")
    (proposal,) = book.evaluate(make_event(name="x"), ANN, History(), now).proposals
    assert proposal.rule.code_pool == "partner-x"
