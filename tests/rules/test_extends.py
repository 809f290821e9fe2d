"""Rule files and definitions that extend a starter: used as they are, overridden by name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from adapter.model.customers import Customer
from adapter.rules.engine import ruleset
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.history.history import History
from tests.rules.conftest import MakeEvent


def load(folder: Path, rules: str, definitions: str = "extends: adapter/starter@1\n") -> RuleSet:
    (folder / "starter.yaml").write_text(rules)
    (folder / "definitions.yaml").write_text(definitions)
    book, problems = ruleset.load(folder)
    assert book is not None, [str(problem) for problem in problems]
    return book


def issued(book: RuleSet, make_event: MakeEvent, now: datetime) -> set[str]:
    event = make_event(attributes={"cart_value": 150, "coupon_used": False, "shipping_country": "FR"})
    verdict = book.evaluate(event, Customer("user_1"), History(), now)
    return {proposal.rule.name for proposal in verdict.proposals}


def test_the_starters_rules_are_used_without_a_copy(tmp_path: Path) -> None:
    book = load(tmp_path, "extends: adapter/starter@1\n")
    assert {rule.name for rule in book.rules} > {"cart-recovery", "second-purchase"}
    assert {mark.file for mark in book.places.values()} == {"adapter/starter@1"}


def test_rules_are_disabled_and_replaced_by_name(tmp_path: Path) -> None:
    book = load(
        tmp_path,
        "extends: adapter/starter@1\n"
        "disable: [returning-rider-minutes]\n"
        "rules:\n"
        "  - name: cart-recovery\n"
        "    trigger: cart_abandoned\n"
        "    action: {type: amount_off, value: 3, currency: EUR}\n",
    )
    by_name = {rule.name: rule for rule in book.rules}
    assert "returning-rider-minutes" not in by_name
    assert by_name["cart-recovery"].action.currency == "EUR"
    assert book.places["cart-recovery"].file == str(tmp_path / "starter.yaml")


def test_a_definition_of_the_same_name_counts_in_the_starters_rules_too(
    tmp_path: Path, make_event: MakeEvent, now: datetime
) -> None:
    rules = "extends: adapter/starter@1\n"
    assert issued(load(tmp_path, rules), make_event, now) == set()
    definitions = (
        'extends: adapter/starter@1\ndefinitions: {ships_to_home_market: shipping_country == "FR"}\n'
    )
    assert issued(load(tmp_path, rules, definitions), make_event, now) == {"high-value-cart-first-purchase"}
    assert load(tmp_path, rules, definitions).segments is not None


def test_a_wrong_name_under_disable_is_reported(tmp_path: Path) -> None:
    (tmp_path / "definitions.yaml").write_text("extends: adapter/starter@1\n")
    (tmp_path / "r.yaml").write_text("extends: adapter/starter@1\ndisable:\n  - cart-recovry\n")
    book, [problem] = ruleset.load(tmp_path)
    assert book is None
    told = "r.yaml:3:5: the starter has no `cart-recovry`; did you mean `cart-recovery`?"
    assert str(problem) == f"{tmp_path}/{told}"
