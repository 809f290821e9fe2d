"""Rules whose codes a destination of Voucherify cannot be sent, or has another amount of."""

from __future__ import annotations

from collections.abc import Iterator

from adapter.destinations.voucherify.benefits import Inexpressible, benefits
from adapter.files.problems import Problem
from adapter.model.money import digits
from adapter.model.rules import Rule
from adapter.rules.engine.ruleset import RuleSet
from adapter.settings.destinations.registry import Destinations
from adapter.settings.destinations.voucherify import Voucherify


def inexpressible(destinations: Destinations, rules: RuleSet) -> Iterator[Problem]:
    """Yield a warning for each rule and each destination that it pushes to."""
    for name, each in destinations.by_name.items():
        if isinstance(each, Voucherify) and (not each.events or "discount.issued" in each.events):
            for rule in rules.rules:
                if rule.push is None or name in rule.push:
                    yield from _doubts(name, each, rule, rules)


def _doubts(name: str, settings: Voucherify, rule: Rule, rules: RuleSet) -> Iterator[Problem]:
    at = rules.places[rule.name]
    if settings.campaigns.get(rule.name, settings.campaign):
        return
    if rule.value is None:
        try:
            benefits(rule.actions, settings.products)
        except Inexpressible as error:
            message = f"the codes of rule `{rule.name}` cannot be sent to destination `{name}`: {error}"
            remedy = (
                f"name a campaign that grants the same in its `campaigns`, or leave `{name}` out of `push`"
            )
            yield Problem(at, message, remedy, "warning")
            return
    currency = rule.action.currency
    if currency is not None and digits(currency) != 2:
        message = f"rule `{rule.name}` sends amounts times 100 to destination `{name}`, also in {currency}"
        remedy = "look at the first code there: how Voucherify shows such a currency is not documented"
        yield Problem(at, message, remedy, "warning")
