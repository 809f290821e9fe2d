"""The discounts of the worked pricing cases, written in rule files, issued, and priced: to the cent."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml as pyyaml
from jsonschema import Draft7Validator
from msgspec import to_builtins
from msgspec.structs import replace

from adapter.model.actions import StoreCredit
from adapter.model.customers import Customer
from adapter.model.events import Event
from adapter.pricing import Terms, read_terms
from adapter.rules.engine.issue import issue
from adapter.rules.engine.ruleset import load
from adapter.rules.expressions.item_condition import compile_item_condition
from adapter.rules.files.schema import rules_schema
from adapter.rules.history.history import History
from tests.pricing.book import MEMBERS, Book, action_of
from tests.pricing.test_cases import PRICED, as_we_say, assert_final

RULES = Draft7Validator(rules_schema())
NUMBERS = ("value", "max_amount", "min_cart_value", "max_units", "units", "percent")


def written(discount: dict[str, Any]) -> dict[str, Any]:
    """Return a case's discount as the action of a rule file: numbers, and conditions over `item`."""
    action = action_of(deepcopy(discount))
    for key in NUMBERS:
        if key in action:
            action[key] = float(action[key]) if "." in str(action[key]) else int(action[key])
    if "min_excludes" in action:
        action["min_excludes"] = "item.on_sale"
    for block in (action, action.get("buy", {}), action.get("get", {})):
        if "applies_to" in block:
            member, *values = block["applies_to"]["items"].split()
            assert member in MEMBERS.values()
            block["applies_to"] = {"items": f"item.{member} in {values}".replace("'", '"')}
    return action


def issued(discount: dict[str, Any], folder: Path, event: Event) -> Terms:
    """Return the terms of the record that a rule with the discount's action issues."""
    rule = {"name": "r", "trigger": event.name, "action": written(discount)}
    rule["priority"] = discount.get("priority", 0)
    assert list(RULES.iter_errors(rule)) == []
    (folder / "rule.yaml").write_text(pyyaml.safe_dump(rule, sort_keys=False), encoding="utf-8")
    book, problems = load(folder)
    assert book is not None, problems
    (proposal,) = book.evaluate(event, Customer("ann"), History(), event.occurred_at).proposals
    record = issue(proposal, event, "ann", discount["code"], event.occurred_at)
    action = to_builtins(record.discount.action, builtin_types=(Decimal, datetime))
    terms = read_terms(discount["code"], action, compile_item_condition)
    return replace(terms, currency=record.terms.currency, priority=record.priority)


@pytest.mark.parametrize("case", PRICED)
def test_a_worked_case_can_be_written_in_rule_files(
    case: dict[str, Any], tmp_path: Path, make_event: Callable[..., Event]
) -> None:
    book = Book(deepcopy(case))
    for discount in case["discounts"]:
        code = discount["code"]
        if code == "F200":
            continue  # a minimum below the amount off is refused in rule files
        currency = discount.get("currency", case["order"]["currency"])
        event = make_event(name="x", attributes={"currency": currency})
        terms = issued(discount, tmp_path, event)
        assert terms.currency == (currency if terms.names_money else None)
        if "currency" not in discount:  # a case may take the currency of each of its orders
            terms = replace(terms, currency=None)
        book.terms[code] = replace(terms, budgets=book.terms[code].budgets)
    answers = [book.step(step) for step in case["steps"]]
    for answer, expected in zip(answers, case["expect"]["steps"], strict=True):
        assert as_we_say(answer) == as_we_say(expected, like=answer)
    assert_final(book, case["expect"].get("final", {}))


def test_store_credit_names_what_remains() -> None:
    assert StoreCredit(Decimal(10)).remaining == 10
    assert StoreCredit(Decimal(10), left=Decimal(4)).remaining == 4
