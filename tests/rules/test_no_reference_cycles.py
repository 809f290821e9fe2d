"""What an evaluation leaves behind, reference counting frees: the collector would hold everybody up."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from pathlib import Path

from adapter.model.customers import Customer
from adapter.model.events import Event, User
from adapter.rules.engine import ruleset
from adapter.rules.history.history import History

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_evaluating_and_folding_leaves_nothing_for_the_cyclic_collector() -> None:
    rules, _ = ruleset.load(Path("rules"))
    assert rules is not None
    customer = Customer("u1", traits={"tier": "gold"})
    names = sorted({name for rule in rules.rules for name in rule.triggers})
    bought = {"cart_value": 150, "shipping_country": "US", "is_first_purchase": True, "coupon_used": False}

    def shop() -> list[str]:
        outcomes: list[str] = []
        history = History()
        for number, name in enumerate(names * 20):
            event = Event(f"e{number}", name, NOW, User("u1"), bought, {})
            verdict = rules.evaluate(event, customer, history, NOW)
            outcomes += [outcome.outcome for outcome in verdict.outcomes]
            outcomes += ["granted" for _ in verdict.proposals]
            rules.fold(history, event)
        return outcomes

    shop()
    gc.collect()
    gc.disable()
    try:
        assert set(shop()) == {"granted", "not_met"}
        assert gc.collect() == 0
    finally:
        gc.enable()
