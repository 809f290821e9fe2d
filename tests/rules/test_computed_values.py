"""Values that are computed once, when the discount is issued."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from adapter.files import yaml
from adapter.model.customers import Customer
from adapter.model.encoding import encode
from adapter.model.events import Event
from adapter.rules.action_types.computed import ComputedValue, Expression
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions.typed_tree import Constant
from adapter.rules.files.schema import rules_schema
from adapter.rules.history.history import History

MakeBook = Callable[..., RuleSet]
MakeEvent = Callable[..., Event]
_DOCUMENT, _ = yaml.read(Path(__file__).parent / "computed_values.yaml")
assert _DOCUMENT is not None
CASES = [(each, case) for each in _DOCUMENT.value for case in each["cases"]]
RULES = Draft7Validator(rules_schema())


@pytest.mark.parametrize(
    ("written", "case"), CASES, ids=[f"{each['name']}-{at}" for at, (each, _) in enumerate(CASES)]
)
def test_a_value_is_computed_when_the_discount_is_issued(
    written: dict[str, Any], case: dict[str, Any], make_book: MakeBook, make_event: MakeEvent, now: datetime
) -> None:
    rule: dict[str, Any] = {"name": "r", "trigger": "x", "action": written["action"]}
    if "guardrails" in written:
        rule["guardrails"] = written["guardrails"]
    assert list(RULES.iter_errors(rule)) == []
    book, history = make_book(a=pyyaml.safe_dump(rule, sort_keys=False)), History()
    for total in case.get("past", ()):
        before = make_event(
            name="order_completed", attributes={"total": total}, occurred_at=now - timedelta(1)
        )
        book.fold(history, before)
    event = make_event(name="x", attributes=case.get("event", {}), context={}, occurred_at=now)
    verdict = book.evaluate(event, Customer("ann", traits=case.get("user", {})), history, now)
    if "withheld" in case:
        (outcome,) = verdict.outcomes
        assert outcome.outcome == "withheld"
        assert case["withheld"] in outcome.reason
        return
    assert verdict.outcomes == ()
    (proposal,) = verdict.proposals
    record = issue(proposal, event, "ann", "X", now)
    action = json.loads(encode(record.discount.action), parse_float=Decimal)
    assert {key: str(action.get(key)) for key in case["issued"]} == {
        key: str(value) for key, value in case["issued"].items()
    }
    assert record.terms.currency == case.get("currency")
    assert sum(claim.amount for claim in proposal.claims) == case.get("reserved", 0)


def test_what_a_value_reads_is_kept_with_the_decision(make_book: MakeBook, make_event: MakeEvent) -> None:
    book = make_book(
        a="name: r\ntrigger: x\naction: {type: percentage_off, value: points / 10, max_value: 9}"
    )
    event = make_event(name="x", attributes={"points": 40})
    verdict = book.evaluate(event, Customer("ann"), History(), event.occurred_at)
    assert verdict.seen == {"points": 40}
    assert (verdict.proposals[0].worth, book.rules[0].value) == (Decimal(0), "points / 10")


def test_conflicts_compare_computed_values(make_book: MakeBook, make_event: MakeEvent) -> None:
    rule = "trigger: x\nconflicts: best_value\naction: {type: amount_off, max_value: 90, value: "
    book = make_book(a=f"name: half\n{rule}cart_value / 2}}", b=f"name: tenth\n{rule}cart_value / 10}}")
    event = make_event(name="x", attributes={"cart_value": 60})
    verdict = book.evaluate(event, Customer("ann"), History(), event.occurred_at)
    assert [(each.rule.name, each.worth) for each in verdict.proposals] == [
        ("half", Decimal(30)),
        ("tenth", Decimal(6)),
    ]


@example(number=Fraction(10**28), most=None, currency=None, kind="percent")
@example(number=Fraction(10**400), most=None, currency="EUR", kind="money")
@given(
    number=st.fractions(),
    most=st.none() | st.decimals(min_value="0.01", max_value=1000, places=2),
    currency=st.sampled_from([None, "EUR", "JPY", "KWD"]),
    kind=st.sampled_from(["percent", "money", "units"]),
)
def test_a_value_is_above_0_at_most_its_bound_and_payable(
    number: Fraction, most: Decimal | None, currency: str | None, kind: Any
) -> None:
    computed = ComputedValue(kind=kind, source=Expression(Constant(1, "number")), max_value=most)
    value = computed.limited(number, currency)
    if isinstance(value, str):
        assert number < Fraction(1, 2) or (kind == "percent" and number > 100) or number > 10**12
        return
    assert 0 < value <= computed.most
    digits = {"EUR": 2, "JPY": 0, "KWD": 3, None: 2}[currency] if kind == "money" else 6
    bounded = most is not None and value == most
    assert bounded or abs(value - Decimal(number.numerator) / number.denominator) <= Decimal("0.5").scaleb(
        -digits
    )
