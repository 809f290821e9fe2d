"""`adapter check` warns of rules whose codes a destination of Voucherify cannot be sent."""

from __future__ import annotations

from typing import Any

from adapter.services.authoring.inexpressible import inexpressible
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.voucherify import Voucherify

RULES = """
rules:
  - {name: fine, trigger: a, action: {type: percentage_off, value: 10}}
  - {name: minimum, trigger: a, action: {type: amount_off, value: 15, min_cart_value: 60}}
  - {name: elsewhere, trigger: a, action: {type: amount_off, value: 15, min_cart_value: 60}, push: [crm]}
  - {name: yen, trigger: a, action: {type: amount_off, value: 500, currency: JPY}}
  - {name: shipping, trigger: a, action: {type: free_shipping}}
"""


def warned(make_rules: Any, **given: Any) -> list[str]:
    named = {"vf": Voucherify(**given)}
    return [each.message for each in inexpressible(Destinations(named=named), make_rules(RULES))]


def test_a_rule_that_cannot_be_expressed_is_named_with_the_reason(make_rules: Any) -> None:
    minimum, yen, shipping = warned(make_rules)
    assert "`minimum`" in minimum
    assert "min_cart_value" in minimum
    assert "JPY" in yen
    assert "`shipping`" in shipping


def test_a_campaign_or_a_product_expresses_it(make_rules: Any) -> None:
    assert len(warned(make_rules, campaigns={"minimum": "c"}, products={"shipping": "p"})) == 1
    assert warned(make_rules, campaign="c") == []
    assert warned(make_rules, events=("discount.revoked",)) == []
