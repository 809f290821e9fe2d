"""What a discount's record keeps for the checkout: the currency of its amounts, and how it combines."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapter.model.discounts import CheckoutTerms, DiscountRecord
from adapter.model.encoding import decode, encode
from adapter.model.events import Event
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import RuleSet
from tests.rules.one_event import decide

MakeBook = Callable[..., RuleSet]
MakeEvent = Callable[..., Event]


def record(book: RuleSet, event: Event) -> DiscountRecord:
    (proposal,) = decide(book, event).proposals
    return issue(proposal, event, "ann", "X", event.occurred_at)


def rule(action: str, more: str = "") -> str:
    return f"name: ten\ntrigger: checkout_started\naction: {{{action}}}\n{more}"


EURO = "guardrails: {budget: {currency: EUR, total: 1000, per_discount: 20}}"


@pytest.mark.parametrize(
    ("written", "attributes", "currency"),
    [
        (rule("type: amount_off, value: 5, currency: USD"), {"currency": "EUR"}, "USD"),
        (rule("type: amount_off, value: 5", EURO), {}, "EUR"),
        (rule("type: amount_off, value: 5"), {"currency": " jpy"}, "JPY"),
        (rule("type: amount_off, value: 5"), {"currency": "euro"}, None),
        (rule("type: amount_off, value: 5"), {"currency": 978}, None),
        (rule("type: amount_off, value: 5"), {}, None),
        (rule("type: percentage_off, value: 5, max_amount: 20"), {"currency": "EUR"}, "EUR"),
        (rule("type: free_shipping, min_cart_value: 20"), {"currency": "EUR", "cart_value": 30}, "EUR"),
        (rule("type: percentage_off, value: 5"), {"currency": "EUR"}, None),
        (rule("type: percentage_off, value: 5", EURO), {"currency": "EUR"}, None),
    ],
)
def test_the_currency_of_amounts_is_fixed_when_issued_by_action_budget_and_event(
    written: str, attributes: dict[str, Any], currency: str | None, make_book: MakeBook, make_event: MakeEvent
) -> None:
    issued = record(make_book(a=written), make_event(attributes=attributes))
    assert issued.terms.currency == currency


def test_a_budget_over_all_rules_says_the_currency_where_the_rule_has_none(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    shop = "guardrails: {budget: {currency: SEK, total: 1000}}"
    book = make_book(a=rule("type: amount_off, value: 5"), definitions=shop)
    assert record(book, make_event(attributes={})).terms.currency == "SEK"


def test_a_record_keeps_how_its_discount_combines(make_book: MakeBook, make_event: MakeEvent) -> None:
    keys = "stacking_group: summer\nexclusive: true\npriority: 3\non_refund: keep\nreward_on_refund: keep"
    book = make_book(a=rule("type: free_shipping", keys))
    issued = record(book, make_event())
    assert issued.checkout == CheckoutTerms(stacking_group="summer", exclusive=True, on_refund="keep")
    assert (issued.priority, book.rules[0].reward_on_refund) == (3, "keep")
    assert decode(encode(issued), DiscountRecord) == issued


@pytest.mark.parametrize(
    ("keys", "terms"),
    [
        ("conflicts: none", CheckoutTerms(independent=True)),
        ("exclusive: until_used", CheckoutTerms(exclusive=True, holds_back=True)),
    ],
)
def test_a_record_keeps_how_it_conflicts(
    keys: str, terms: CheckoutTerms, make_book: MakeBook, make_event: MakeEvent
) -> None:
    issued = record(make_book(a=rule("type: free_shipping", keys)), make_event())
    assert issued.checkout == terms
    assert decode(encode(issued), DiscountRecord) == issued


@pytest.mark.parametrize(
    ("own", "overall", "partial"),
    [
        ("partial", "", True),
        ("refuse", "", False),
        ("partial", "refuse", False),
        ("partial", "partial", True),
    ],
)
def test_a_record_keeps_whether_budgets_grant_what_is_left(
    own: str, overall: str, partial: bool, make_book: MakeBook, make_event: MakeEvent
) -> None:
    budget = "guardrails: {{budget: {{currency: EUR, total: 1000, on_exceed: {}}}}}"
    files = {"definitions": budget.format(overall)} if overall else {}
    book = make_book(a=rule("type: amount_off, value: 5", budget.format(own)), **files)
    assert record(book, make_event()).terms.partial_budget is partial


def test_a_record_of_a_rule_that_says_nothing_of_it_is_as_it_was(
    make_book: MakeBook, make_event: MakeEvent
) -> None:
    issued = record(make_book(a=rule("type: free_shipping")), make_event())
    assert list(json.loads(encode(issued)))[-2:] == ["priority", "version"]
    assert issued.terms == CheckoutTerms()
