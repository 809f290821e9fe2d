"""The log of decisions: rules, outcomes and guardrails, and nothing of the customer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from adapter.metrics import Metrics
from adapter.model.decisions import Decision, RuleOutcome
from adapter.services.decision_log import DecisionCounts, log_decisions

ISSUED = RuleOutcome("ten", "issued", "every condition holds", code="TEN-1")
WITHHELD = RuleOutcome("vip", "withheld", "not issued: jane has had 1 of 1", "per_user_limit")
NOT_MET = RuleOutcome("big", "not_met", "not issued: cart_value is 96.50, needs at least 120")


def decision(*outcomes: RuleOutcome) -> Decision:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    seen: dict[str, Any] = {"email": "jane@example.com"}
    return Decision("evt-jane", "checkout_started", "jane", moment, "0f", outcomes, seen)


def test_a_decision_is_one_log_line_that_names_rules_and_no_customer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    log_decisions([decision(ISSUED, WITHHELD, NOT_MET)])
    [record] = caplog.records
    told = vars(record)
    assert (record.getMessage(), told["event"]) == ("decided", "checkout_started")
    assert told["outcomes"] == [
        {"rule": "ten", "outcome": "issued"},
        {"rule": "vip", "outcome": "withheld", "guardrail": "per_user_limit"},
        {"rule": "big", "outcome": "not_met"},
    ]
    assert not [value for value in told.values() if "jane" in str(value) or "TEN-1" in str(value)]


def test_where_the_operator_wants_it_each_rule_has_its_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_decisions([decision(ISSUED, NOT_MET)], reasons=True)
    assert [outcome["reason"] for outcome in vars(caplog.records[0])["outcomes"]] == [
        "every condition holds",
        "not issued: cart_value is 96.50, needs at least 120",
    ]


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 2), ("INFO", 1), ("WARNING", 0)])
def test_decisions_without_a_match_are_logged_at_debug(
    caplog: pytest.LogCaptureFixture, level: str, lines: int
) -> None:
    caplog.set_level(level)
    log_decisions([decision(NOT_MET), decision(ISSUED)])
    assert len(caplog.records) == lines


def test_the_number_of_other_unmatched_rules_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_decisions([replace(decision(ISSUED), untold=37), decision(ISSUED)])
    assert [vars(record).get("untold") for record in caplog.records] == [37, None]


def test_decisions_are_counted_by_what_became_of_the_rules_whose_conditions_held() -> None:
    metrics = Metrics()
    counts = DecisionCounts(metrics)
    counts.note([decision(ISSUED, WITHHELD, NOT_MET), decision(NOT_MET)])
    counts.note([replace(decision(), unevaluated="too_old"), decision(ISSUED)])
    metrics.flush()
    value = metrics.registry.get_sample_value
    assert value("adapter_decisions_total") == 3
    assert value("adapter_discounts_issued_total", {"rule": "ten"}) == 2
    assert value("adapter_rule_outcomes_total", {"rule": "ten", "outcome": "issued"}) == 2
    assert value("adapter_rule_outcomes_total", {"rule": "vip", "outcome": "withheld"}) == 1
    assert value("adapter_rule_outcomes_total", {"rule": "big", "outcome": "not_met"}) is None
