"""Decisions and discounts in sentences."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from adapter.model.actions import Action, AmountOff, FreeShipping, PercentageOff, StoreCredit, UnitOff
from adapter.model.decisions import Decision, RuleOutcome
from adapter.model.encoding import decode, encode
from adapter.rules.action_types.registry import describe
from adapter.rules.engine.sentences import explain


def test_a_stored_decision_is_explained_rule_by_rule(now: datetime) -> None:
    outcomes = (
        RuleOutcome("a", "issued", "every condition holds", code="A-23456789"),
        RuleOutcome("b", "not_met", "not issued: cart_value is 96.50, needs at least 120"),
        RuleOutcome("c", "withheld", "not issued: the customer is in vip", "excluded_segments"),
    )
    decision = Decision("evt_1", "checkout_started", "ann", now, "0f", outcomes, {"cart_value": 96.5})
    assert explain(decode(encode(decision), Decision)) == [
        "checkout_started of ann (evt_1), decided at 2026-11-21 15:07:31 UTC",
        "a: issued A-23456789: every condition holds",
        "b: not issued: cart_value is 96.50, needs at least 120",
        "c: not issued: the customer is in vip (excluded_segments)",
    ]


def test_an_event_that_triggers_nothing_says_so(now: datetime) -> None:
    assert explain(Decision("evt_1", "x", "ann", now, "0f", (), {}))[1:] == ["no rule is triggered by it"]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (PercentageOff(Decimal("12.5")), "12.5% off"),
        (PercentageOff(Decimal(15), max_amount=Decimal(40)), "15% off, at most 40"),
        (AmountOff(Decimal(15), min_cart_value=Decimal(60), currency="USD"), "15 USD off from 60 up"),
        (AmountOff(Decimal(15)), "15 off"),
        (FreeShipping(), "free shipping"),
        (FreeShipping(("standard",), ("US", "CA")), "free shipping (standard) to US, CA"),
        (StoreCredit(Decimal(10)), "10 store credit"),
        (UnitOff(Decimal(15), "minutes"), "15 minutes free"),
    ],
)
def test_an_action_is_named_as_a_customer_would_read_it(action: Action, words: str) -> None:
    assert describe(action) == words
