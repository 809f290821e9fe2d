"""What if a value of the rules were another one: the same traffic for each of several values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from adapter.errors import InvalidDraft
from adapter.files.dumping import dump
from adapter.rules.engine.ruleset import DEFINITIONS
from adapter.services.simulation.tally import Tally

#: Values of one sweep, all combinations counted.
MOST = 100


class Point(Struct, frozen=True):
    """What the rules came to with one value: `label` is the value, `other` that of a second setting."""

    label: str
    other: str
    issued: int
    withheld: int
    customers: int
    liability: dict[str, Decimal]


class WhatIf(Struct, frozen=True):
    """Values of one member of rules: `guardrails.max_daily_redemptions`, of all rules or of the one named."""

    path: tuple[str, ...]
    values: tuple[Any, ...]
    rule: str | None = None

    @property
    def name(self) -> str:
        """The member as it was asked for."""
        path = ".".join(self.path)
        return path if self.rule is None else f"{self.rule}:{path}"


class Sweep(Struct, frozen=True):
    """The points of one or two settings that are swept."""

    asked: Sequence[WhatIf]
    points: Sequence[Point]

    def lines(self) -> Iterator[tuple[str, list[Point]]]:
        """Yield what is plotted: the points over the first setting, for each value of the second."""
        found: dict[str, list[Point]] = defaultdict(list)
        for point in self.points:
            found[point.other].append(point)
        for other, points in found.items():
            named = f" where {self.asked[1].name} is {other}" if other else ""
            yield self.asked[0].name + named, points


def read(text: str) -> WhatIf:
    """Read `[RULE:]PATH=VALUE,VALUE`; raises InvalidDraft."""
    left, equals, right = text.partition("=")
    rule, colon, path = left.rpartition(":")
    names = tuple(path.strip().split("."))
    values = tuple(yaml.safe_load(each) for each in right.split(",") if each.strip())
    if not equals or not values or not all(names):
        raise InvalidDraft(
            f"`{text}` is not a sweep: write `guardrails.max_daily_redemptions=100,200,400`, "
            "with `RULE:` before it for one rule"
        )
    return WhatIf(names, values, rule.strip() if colon else None)


def combinations(asked: Sequence[WhatIf]) -> list[tuple[Any, ...]]:
    """Return the values to try, one of each setting; raises InvalidDraft for too many."""
    found = list(product(*(each.values for each in asked)))
    if len(asked) > 2 or len(found) > MOST:
        raise InvalidDraft(f"sweep one or two settings, with {MOST} combinations of values at most")
    return found


def with_values(folder: Path, into: Path, asked: Sequence[WhatIf], values: Sequence[Any]) -> int:
    """Write the rule files of a folder, or one file, with other values; returns how many rules have them.

    Rules that have no block of the name (`guardrails`) are left as they are, unless they are named.
    """
    changed = 0
    for path in [*folder.glob("*.yaml"), *folder.glob("*.yml")] if folder.is_dir() else [folder]:
        if path.name == DEFINITIONS or path.stem.endswith(".test"):
            (into / path.name).write_bytes(path.read_bytes())
            continue
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for rule in _rules(document):
            for each, value in zip(asked, values, strict=True):
                changed += _put(rule, each, value)
        (into / path.name).write_text(dump(document) + "\n", encoding="utf-8")
    return changed


def _rules(document: Any) -> list[dict[str, Any]]:
    found = document.get("rules") if isinstance(document, dict) and "rules" in document else [document]
    return [each for each in found or () if isinstance(each, dict)]


def _put(rule: dict[str, Any], asked: WhatIf, value: Any) -> bool:
    if asked.rule is not None and rule.get("name") != asked.rule:
        return False
    *around, last = asked.path
    place = rule
    for name in around:
        if asked.rule is not None:
            place.setdefault(name, {})
        inner = place.get(name)
        if not isinstance(inner, dict):
            return False
        place = inner
    if asked.rule is None and last not in place:
        return False
    place[last] = value
    return True


def point(values: Sequence[Any], tally: Tally) -> Point:
    """Return what rules with these values came to."""
    days = [day for rule in tally.rules.values() for day in rule.days.values()]
    liability: dict[str, Decimal] = {}
    for day in days:
        for currency, amount in day.liability.items():
            liability[currency] = liability.get(currency, Decimal(0)) + amount
    label, *others = map(str, values)
    return Point(
        label,
        ", ".join(others),
        sum(day.issued for day in days),
        sum(sum(day.withheld.values()) for day in days),
        len(tally.customers),
        liability,
    )
