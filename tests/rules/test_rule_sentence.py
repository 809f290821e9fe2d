"""A rule in one sentence, for each kind of trigger and of what it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter.rules.engine import ruleset
from adapter.rules.engine.rule_sentence import rule_sentence

GIFT = "action: {type: amount_off, value: 5, currency: EUR}"
SAID = {
    f"trigger: started\n{GIFT}": "When started happens: 5 EUR off.",
    f"trigger: [started, resumed]\nconditions: {{all: [cart_value >= 10]}}\n{GIFT}": (
        "When started or resumed happens, if cart_value >= 10: 5 EUR off."
    ),
    f"trigger: {{event: started, unless: order_completed, within: 2h}}\n{GIFT}": (
        "When order_completed does not follow started within 2h: 5 EUR off."
    ),
    "action: {type: amount_off, value: 5, currency: EUR, code: SUMMER}": (
        "When a customer enters SUMMER at the checkout: 5 EUR off."
    ),
    "trigger: started\naction: {type: free_shipping, expires_in_hours: 48}": (
        "When started happens: free shipping, valid for 2d."
    ),
    "trigger: started\naction: {type: percentage_off, value: 10, max_amount: 7}": (
        "When started happens: 10% off, at most 7."
    ),
    f"trigger: {{trait: tier, to: gold}}\n{GIFT}": "When tier changes to gold: 5 EUR off.",
    f"trigger: started\nconflicts: none\n{GIFT}": (
        "When started happens: 5 EUR off, whatever other discounts there are."
    ),
    f"trigger: started\nexclusive: until_used\n{GIFT}": (
        "When started happens: 5 EUR off, and no other discount until it is used."
    ),
    "trigger: {discount: any, expires_in: 2d}\naction: {type: remind}": (
        "When a discount expires in 2d: send a reminder."
    ),
}


@pytest.mark.parametrize(("text", "sentence"), SAID.items(), ids=SAID.values())
def test_a_rule_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "one.yaml").write_text(f"name: one\n{text}\n")
    book, problems = ruleset.load(tmp_path)
    assert book is not None, problems
    [rule] = book.rules
    assert rule_sentence(rule, book.nodes["one"]) == sentence
