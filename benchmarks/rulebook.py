"""A synthetic rule book and events for it, each rule in the words of every engine that is compared.

A rule has 2 to 8 tests over 12 attributes; 15 in 100 also have an "any" of two or three more. Of the events,
some miss an attribute or bring one of a wrong type. All from a seed, so that two runs compare the same.
"""

from __future__ import annotations

import json
import random
from typing import Any

from msgspec import Struct

COUNTRIES = ["US", "CA", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "PL", "GR", "JP"]
CHANNELS = ["email", "search", "social", "direct", "affiliate", "push"]
TIERS = ["bronze", "silver", "gold", "platinum"]
DEVICES = ["mobile", "desktop", "tablet"]
TAGS = ["sale", "new", "shoes", "denim", "tees", "gifts", "outlet", "premium"]
NUMBERS = {"cart_value": 400, "item_count": 12, "lifetime_value": 5000, "days_as_customer": 900}
TEXTS = {"shipping_country": COUNTRIES, "traffic_source": CHANNELS, "tier": TIERS, "device": DEVICES}
FLAGS = ["is_first_purchase", "coupon_used", "subscribed"]


class Test(Struct, frozen=True):
    """One test: `operator` is >= < == in or has (`value in name`)."""

    name: str
    operator: str
    value: Any


class Rule(Struct, frozen=True):
    """All of `every` hold, and one of `some`, where there are any."""

    every: tuple[Test, ...]
    some: tuple[Test, ...]

    def text(self) -> str:
        """Return the rule as an expression, ours and CEL's alike."""
        parts = [_text(test) for test in self.every]
        return " && ".join([*parts, *([f"({' || '.join(map(_text, self.some))})"] if self.some else [])])

    def json_logic(self) -> dict[str, Any]:
        """Return the rule as JsonLogic."""
        parts = [_json_logic(test) for test in self.every]
        return {"and": [*parts, *([{"or": [_json_logic(test) for test in self.some]}] if self.some else [])]}

    def json_rules(self) -> dict[str, Any]:
        """Return the rule as json-rules-engine's conditions."""
        parts: list[dict[str, Any]] = [_json_rules(test) for test in self.every]
        return {"all": [*parts, *([{"any": [_json_rules(test) for test in self.some]}] if self.some else [])]}


def rules(count: int, seed: int = 7) -> list[Rule]:
    """Return so many rules; a smaller book is the beginning of a larger one."""
    source = random.Random(seed)
    return [_rule(source) for _ in range(count)]


def events(count: int, seed: int = 11) -> list[dict[str, Any]]:
    """Return so many events' attributes."""
    source = random.Random(seed)
    return [_event(source) for _ in range(count)]


def complete(event: dict[str, Any]) -> bool:
    """Tell whether nothing is missing and everything of its type, so that all engines must agree."""
    numbers = all(isinstance(event.get(name), float) for name in NUMBERS)
    return numbers and all(isinstance(event.get(name), str) for name in TEXTS) and len(event) == 12


def _rule(source: random.Random) -> Rule:
    every = tuple(_test(source) for _ in range(source.randint(2, 8)))
    some = tuple(_test(source) for _ in range(source.randint(2, 3))) if source.random() < 0.15 else ()
    return Rule(every, some)


def _test(source: random.Random) -> Test:
    name = source.choice([*NUMBERS, *TEXTS, *FLAGS, "tags"])
    if name in NUMBERS:
        step = max(1, NUMBERS[name] // 80)
        return Test(name, source.choice([">=", "<"]), float(source.randrange(0, NUMBERS[name], step)))
    if name in TEXTS:
        words = TEXTS[name]
        if source.random() < 0.5:
            return Test(name, "==", source.choice(words))
        return Test(name, "in", source.sample(words, source.randint(2, len(words) - 1)))
    return (
        Test(name, "has", source.choice(TAGS)) if name == "tags" else Test(name, "==", source.random() < 0.5)
    )


def _event(source: random.Random) -> dict[str, Any]:
    event: dict[str, Any] = {name: round(source.uniform(0, most), 2) for name, most in NUMBERS.items()}
    event |= {name: source.choice(words) for name, words in TEXTS.items()}
    event |= {name: source.random() < 0.5 for name in FLAGS}
    event["tags"] = source.sample(TAGS, source.randint(0, 4))
    if source.random() < 0.3:
        name = source.choice(list(event))
        if source.random() < 0.5:
            del event[name]
        elif name in NUMBERS:
            event[name] = str(event[name])
    return event


def _text(test: Test) -> str:
    if test.operator == "has":
        return f"{json.dumps(test.value)} in {test.name}"
    return f"{test.name} {test.operator} {json.dumps(test.value)}"


def _json_logic(test: Test) -> dict[str, Any]:
    variable = {"var": test.name}
    if test.operator == "has":
        return {"in": [test.value, variable]}
    return {test.operator: [variable, test.value]}


_OPERATORS = {">=": "greaterThanInclusive", "<": "lessThan", "==": "equal", "in": "in", "has": "contains"}


def _json_rules(test: Test) -> dict[str, Any]:
    return {"fact": test.name, "operator": _OPERATORS[test.operator], "value": test.value}
