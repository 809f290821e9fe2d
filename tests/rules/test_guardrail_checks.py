"""Checks without a counter: each names the customer, place or time that stops a rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event
from adapter.rules.engine.ruleset import RuleSet
from tests.rules.one_event import BASE, SEGMENTS, decide, outcome

MakeBook = Callable[..., RuleSet]
MakeEvent = Callable[..., Event]


RAILS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("status: paused", {}, "withheld", "status", "the rule is paused"),
    ("guardrails: {excluded_segments: [vip]}", {"segments": ("vip",)}, "withheld", "excluded_segments",
     "the customer is in vip"),
    ("guardrails: {exclude_segments: [vip]}", {"segments": ("vip",)}, "withheld", "excluded_segments",
     "the customer is in vip"),
    ("guardrails: {eligible_segments: [vip, gold]}", {"segments": ("tin",)}, "withheld", "eligible_segments",
     "the customer is not in vip or gold"),
    ("guardrails: {excluded_segments: [rich]}", {"traits": {"income": 9}}, "withheld", "excluded_segments",
     "the customer is in rich"),
    ("guardrails: {excluded_segments: [rich]}", {}, "withheld", "excluded_segments",
     "the data to tell whether the customer is in rich is missing"),
    ("guardrails: {excluded_segments: [staff]}", {"email": "Bob@Shop.Ex"}, "withheld", "excluded_segments",
     "the customer is in staff"),
    ("guardrails: {excluded_segments: [staff]}", {"source_id": "emp_1"}, "withheld", "excluded_segments",
     "the customer is in staff"),
    ("guardrails: {channels: [app, kiosk]}", {}, "withheld", "channels",
     "the channel is web, and must be app or kiosk"),
    ("guardrails: {schedule: {weekdays: [mon, fri]}}", {}, "withheld", "schedule",
     "it is Saturday 15:07 in UTC, and the rule does not run then"),
    ('guardrails: {schedule: {hours: ["09:00-16:00"]}, time_zone: Europe/Berlin}', {}, "withheld", "schedule",
     "it is Saturday 16:07 in Europe/Berlin, and the rule does not run then"),
    ('guardrails: {schedule: {from: "2026-12-01T00:00:00Z"}}', {}, "withheld", "schedule",
     "the rule starts at 2026-12-01 00:00 UTC"),
    ('guardrails: {schedule: {until: "2026-11-21T15:07:31Z"}}', {}, "withheld", "schedule",
     "the rule ended at 2026-11-21 15:07 UTC"),
    ("guardrails: {budget: {currency: EUR, total: 100}}", {}, "withheld", "budget",
     "the discount is in USD, and the budget counts EUR"),
    ("rollout: {percent: 0}", {}, "withheld", "rollout",
     "the rule is for 0 % of customers, not for this one"),
    ("rollout: {audience: [beta]}", {}, "withheld", "rollout", "the rule is rolled out to beta only"),
    ("rollout: {control: 100}", {}, "control", "rollout", "the customer is in the control group"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "customer", "what", "guardrail", "reason"), RAILS)
def test_each_guardrail_without_a_counter_stops_the_rule_and_says_so(
    line: str,
    customer: dict[str, Any],
    what: str,
    guardrail: str,
    reason: str,
    make_book: MakeBook,
    make_event: MakeEvent,
) -> None:
    book = make_book(a=BASE + line, definitions=SEGMENTS)
    event = make_event(context={"channel": "web"}, attributes={"cart_value": 150, "currency": "USD"})
    found = outcome(decide(book, event, Customer(**{"source_id": "user_1", **customer})))
    assert found == RuleOutcome("ten", what, f"not issued: {reason}", guardrail)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listed", "customer"),
    [
        ("bob@shop.ex", {"email": " BOB@Shop.EX "}),
        ("Bob@SHOP.ex", {"email": "bob@shop.ex."}),
        ("jos\u00e9@b\u00fccher.example", {"email": "Jose\u0301@xn--bcher-kva.example"}),
        ("bob@shop.ex", {"identities": {"email": "BOB@shop.ex"}}),
        ("bob@shop.ex", {"email": "work@shop.ex", "identities": {"email": "bob@shop.ex"}}),
    ],
)
def test_a_list_matches_an_address_in_any_spelling(
    listed: str, customer: dict[str, Any], make_book: MakeBook, make_event: MakeEvent
) -> None:
    definitions = f"segments: {{staff: {{emails: [{listed}]}}}}"
    book = make_book(a=BASE + "guardrails: {excluded_segments: [staff]}", definitions=definitions)
    for of, proposes in (({"email": "rob@shop.ex"}, True), (customer, False)):
        assert bool(decide(book, make_event(), Customer("user_1", **of)).proposals) is proposes


OPEN = [
    ("guardrails: {excluded_segments: [rich]}", {"traits": {"income": 1}}),
    ("guardrails: {excluded_segments: [vip, staff]}", {}),
    ("guardrails: {eligible_segments: [vip, rich]}", {"traits": {"income": 9}}),
    ("guardrails: {channels: [web]}", {}),
    ("guardrails: {schedule: {weekdays: [sat]}}", {}),
    ('guardrails: {schedule: {hours: ["09:00-15:00", "15:00-24:00"]}}', {}),
    ('guardrails: {schedule: {weekdays: [Saturday], hours: ["15:07-09:00"]}}', {}),
    ("guardrails: {budget: {currency: USD, total: 100}}", {}),
    ("rollout: {percent: 100, audience: [rich], control: 0}", {"traits": {"income": 9}}),
]


@pytest.mark.parametrize(("line", "customer"), OPEN)
def test_guardrails_pass_customers_outside_their_scope(
    line: str, customer: dict[str, Any], make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(a=BASE + line, definitions=SEGMENTS)
    event = make_event(context={"channel": "web"}, attributes={"cart_value": 150, "currency": "USD"})
    assert decide(book, event, Customer(**{"source_id": "user_1", **customer})).proposals


@pytest.mark.parametrize(
    ("at", "runs"),
    [
        ("2026-11-20T21:59:00Z", False),  # Friday
        ("2026-11-20T22:00:00Z", True),
        ("2026-11-21T01:59:59Z", True),  # Saturday by the clock, Friday's span
        ("2026-11-21T02:00:00Z", False),
        ("2026-11-21T23:00:00Z", False),  # Saturday's own evening
        ("2026-11-20T01:00:00Z", False),  # Thursday's span
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_start(
    at: str, runs: bool, make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(a=BASE + 'guardrails: {schedule: {weekdays: [fri], hours: ["22:00-02:00"]}}')
    assert bool(decide(book, make_event(), at=datetime.fromisoformat(at)).proposals) is runs


BY_WHAT = """
segments:
  geo: context.country == "US"
  device: context.device == "mobile"
  traffic_source: context.traffic_source == "email"
  loyalty_tier: user.tier == "gold"
"""
IN = {"country": "US", "device": "mobile", "traffic_source": "email"}
OUT = {"country": "FR", "device": "tablet", "traffic_source": "social"}


@pytest.mark.parametrize("segment", ["geo", "device", "traffic_source", "loyalty_tier"])
@pytest.mark.parametrize(("guardrail", "passes"), [("eligible_segments", True), ("excluded_segments", False)])
def test_segments_go_by_geo_device_traffic_source_and_loyalty_tier(
    segment: str, guardrail: str, passes: bool, make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(a=f"{BASE}guardrails: {{{guardrail}: [{segment}]}}", definitions=BY_WHAT)
    for context, tier, inside in ((IN, "gold", True), (OUT, "tin", False)):
        found = decide(book, make_event(context=context), Customer("user_1", traits={"tier": tier}))
        assert bool(found.proposals) is (passes is inside)
        assert passes is inside or found.outcomes[0].guardrail == guardrail
