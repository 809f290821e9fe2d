"""One event against a rule book: what is proposed, and a sentence for all that is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapter.model.customers import Customer
from adapter.model.decisions import RuleOutcome
from adapter.model.events import Event, User
from adapter.rules.engine.evaluate import MOST_EXPLAINED
from adapter.rules.engine.ruleset import RuleSet, load
from adapter.rules.guardrails.proposal import Verdict
from adapter.rules.history.history import History
from tests.rules.one_event import ANN, BASE, SEGMENTS, decide, outcome

MakeBook = Callable[..., RuleSet]
MakeEvent = Callable[..., Event]


def test_a_matching_rule_is_proposed_with_its_value(make_book: MakeBook, make_event: MakeEvent) -> None:
    verdict = decide(make_book(a=BASE), make_event())
    (proposal,) = verdict.proposals
    assert (proposal.rule.name, proposal.worth, proposal.cart) == ("ten", Decimal(15), Decimal(150))
    assert verdict.seen == {"cart_value": 150}


def test_an_unmatched_rule_gives_the_values_compared(make_book: MakeBook, make_event: MakeEvent) -> None:
    verdict = decide(make_book(a=BASE), make_event(attributes={"cart_value": 96.5}))
    assert outcome(verdict) == RuleOutcome(
        "ten", "not_met", "not issued: cart_value is 96.50, needs at least 120"
    )


def test_only_rules_for_the_name_of_the_event_are_evaluated(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(a=BASE, b=BASE.replace("ten", "two").replace("checkout_started", "[order_completed, x]"))
    assert (book.needs("x"), book.needs("y")) == (True, False)
    assert decide(book, make_event(name="y")) == Verdict((), (), {}, book.priorities)
    assert [proposal.rule.name for proposal in decide(book, make_event(name="x")).proposals] == ["two"]


def test_proposals_are_sorted_by_priority_then_value_then_name(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    book = make_book(
        a=BASE.replace("ten", "b"),
        b=BASE.replace("ten", "a"),
        c=BASE.replace("ten", "dear").replace("value: 10", "value: 12"),
        d=BASE.replace("ten", "first") + "priority: 1",
    )
    names = [proposal.rule.name for proposal in decide(book, make_event()).proposals]
    assert names == ["first", "dear", "a", "b"]


def test_only_so_many_rules_are_explained(make_book: MakeBook, make_event: MakeEvent) -> None:
    texts = {f"r{number}": BASE.replace("ten", f"r{number:03}") for number in range(60)}
    verdict = decide(make_book(**texts), make_event(attributes={}))
    assert len(verdict.outcomes) == MOST_EXPLAINED
    assert verdict.outcomes[0].rule == "r000"


def test_the_first_rules_by_priority_that_do_not_hold_are_explained(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    texts = {
        f"r{number}": BASE.replace("ten", f"r{number:03}").replace(
            "= 120", "= 150" if number % 25 else "= 151"
        )
        for number in range(300)
    }
    verdict = decide(make_book(**texts), make_event())
    assert len(verdict.proposals) == 288
    assert [each.rule for each in verdict.outcomes] == [f"r{at:03}" for at in range(0, 250, 25)]


def test_a_shadow_is_decided_and_proposes_nothing(make_book: MakeBook, make_event: MakeEvent) -> None:
    book = make_book(a=BASE + "status: shadow\nguardrails: {max_daily_redemptions: 1}")
    found = outcome(decide(book, make_event()))
    assert (found.outcome, found.reason) == ("shadow", "would be issued, but the rule is a shadow")


def test_a_discount_that_would_be_born_expired_is_not_issued(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    text = BASE.replace("max_amount: 20", 'expires_at: "2026-11-21T15:00:00Z"')
    assert outcome(decide(make_book(a=text), make_event())).guardrail == "expires_at"


def test_guardrails_over_all_rules_are_reserved_with_those_of_the_rule(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    shop = """
guardrails:
  max_daily_redemptions: 5
  per_user_limit: 2
  budget: {currency: USD, daily: 100}
  excluded_segments: [banned]
"""
    book = make_book(a=BASE + "guardrails: {max_total_redemptions: 7}", definitions=shop)
    event = make_event(user=User(id="user_1", device_id="phone"))
    (proposal,) = decide(book, event).proposals
    assert {(claim.scope, claim.key, claim.cap, claim.amount) for claim in proposal.claims} == {
        ("", "ten|total", 7, 1),
        ("", "*|day|2026-11-21", 5, 1),
        ("user_1", "*|user|total", 2, 1),
        ("device:phone", "*|user|total", 2, 1),
        ("", "*|budget|USD|day|2026-11-21", 10000, 2000),
    }
    banned = outcome(decide(book, event, Customer("user_1", segments=("banned",))))
    assert banned.guardrail == "global.excluded_segments"


def test_a_discount_without_a_bound_does_not_pass_a_budget_over_all_rules(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    shop = "guardrails: {budget: {currency: USD, total: 100}}"
    book = make_book(a=BASE.replace(", max_amount: 20", ""), definitions=shop)
    assert outcome(decide(book, make_event())).guardrail == "global.budget"


def test_a_budget_over_all_rules_does_not_make_a_discount_cheaper_than_its_rule(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    shop = "guardrails: {budget: {currency: USD, total: 100, per_discount: 1}}"
    (proposal,) = decide(make_book(a=BASE, definitions=shop), make_event()).proposals
    assert [claim.amount for claim in proposal.claims] == [2000]


def test_one_line_stops_all_rules(make_book: MakeBook, make_event: MakeEvent) -> None:
    book = make_book(a=BASE, definitions="guardrails: {paused: true}")
    assert outcome(decide(book, make_event())).reason == "not issued: all rules are paused"


def test_a_rule_without_its_own_takes_the_time_zone_and_conflicts_of_the_shop(make_book: MakeBook) -> None:
    shop = "time_zone: Asia/Tokyo\nconflicts: best_value"
    book = make_book(
        a=BASE,
        b=BASE.replace("ten", "own") + "conflicts: block\nguardrails: {time_zone: UTC}",
        definitions=shop,
    )
    assert [(rule.guardrails.time_zone, rule.conflicts) for rule in book.rules] == [
        ("Asia/Tokyo", "best_value"), ("UTC", "block"),
    ]  # fmt: skip


def test_both_spellings_of_yaml_are_read_and_cases_are_not(tmp_path: Path) -> None:
    rule = "name: {name}\ntrigger: started\naction: {{type: free_shipping}}\n"
    for file in ("a.yaml", "b.yml", "c.test.yml", ".d.yml"):
        (tmp_path / file).write_text(rule.format(name=file.partition(".")[0] or "hidden"))
    book, _ = load(tmp_path)
    assert book is not None
    assert [rule.name for rule in book.rules] == ["a", "b"]


def test_definitions_are_shared_whatever_their_order(make_book: MakeBook, make_event: MakeEvent) -> None:
    shared = """
definitions:
  good: big && !returning
  returning: history.count("order_completed") > 0
  big: {any: [cart_value >= 100, user.vip == true]}
segments:
  newcomers: "!returning"
"""
    book = make_book(a=BASE.replace("cart_value >= 120", "good"), definitions=shared)
    assert decide(book, make_event()).proposals
    history = History()
    book.fold(history, make_event(name="order_completed"))
    assert not book.evaluate(make_event(), ANN, history, make_event().occurred_at).proposals


def test_rules_see_the_history_before_the_event(make_book: MakeBook, make_event: MakeEvent) -> None:
    text = BASE.replace("checkout_started", "order_completed").replace(
        "cart_value >= 120", 'history.count("order_completed") == 0'
    )
    book, history, event = make_book(a=text), History(), make_event(name="order_completed")
    assert book.evaluate(event, ANN, history, event.occurred_at).proposals
    book.fold(history, event)
    assert not book.evaluate(event, ANN, history, event.occurred_at).proposals


def test_conditions_see_the_customers_standard_fields_and_segments(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    condition = 'user.email.endsWith("@b.c") && user.tier == "gold" && "vip" in user.segments'
    book = make_book(a=BASE.replace("[cart_value >= 120]", f"'{condition}'"))
    customer = Customer(
        "user_1", email="a@b.c", traits={"tier": "gold", "email": "old@x.y"}, segments=("vip",)
    )
    assert decide(book, make_event(), customer).proposals
    assert not decide(book, make_event()).proposals


def test_a_new_rule_makes_a_stored_history_ask_for_its_events(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    old = make_book(a=BASE)
    history, past = History(), make_event(name="order_completed", attributes={"total": 30})
    old.fold(history, past)
    assert not old.lacks(history)
    new = make_book(
        b=BASE.replace("ten", "two").replace(
            "[cart_value >= 120]", """'history.sum("order_completed", "total", "30d") >= 30'"""
        )
    )
    assert new.lacks(history)
    new.backfill(history, [past])
    assert not new.lacks(history)
    names = [each.rule.name for each in new.evaluate(make_event(), ANN, history, past.occurred_at).proposals]
    assert names == ["ten", "two"]


def test_the_digest_follows_the_files_content(make_book: MakeBook) -> None:
    first = make_book(a=BASE).digest
    assert make_book(a=BASE).digest == first
    assert make_book(a=BASE + "priority: 1").digest != first


def test_a_segment_that_is_nearly_declared_is_a_warning(tmp_path: Any, make_book: MakeBook) -> None:
    from adapter.rules.engine.ruleset import load

    make_book(a=BASE + "guardrails: {excluded_segments: [stafff]}", definitions=SEGMENTS)
    book, problems = load(tmp_path)
    assert book is not None
    assert [problem.severity for problem in problems] == ["warning"]
    assert "did you mean `staff`?" in str(problems[0])


def test_case_files_are_no_rules(tmp_path: Any, make_book: MakeBook) -> None:
    (tmp_path / "a.test.yaml").write_text("cases: []")
    assert len(make_book(a=BASE).rules) == 1


def test_recorded_inputs_are_plain_json(make_book: MakeBook, make_event: MakeEvent) -> None:
    from adapter.model.encoding import encode

    condition = 'has(attributes.nope) || history.avg("o", "t") > 9 || event.occurred_at < now'
    text = BASE.replace("[cart_value >= 120]", f"'{condition}'")
    book, history = make_book(a=text), History()
    for total in (1, 1, 2):
        book.fold(history, make_event(name="o", attributes={"t": total}))
    at = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(0)
    seen = book.evaluate(make_event(), ANN, history, at).seen
    assert b'"history.avg(\\"o\\", \\"t\\")":1.333333' in encode(seen)
    assert "attributes" not in seen
