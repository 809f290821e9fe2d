"""Rules, events and moments that the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter.model.actions import PercentageOff
from adapter.model.events import Event, User
from adapter.model.rules import Rule
from adapter.rules.engine.ruleset import RuleSet, load

MakeRule = Callable[..., Rule]
MakeEvent = Callable[..., Event]
MakeBook = Callable[..., RuleSet]


@pytest.fixture(scope="session")
def now() -> datetime:
    """A Saturday afternoon in winter."""
    return datetime(2026, 11, 21, 15, 7, 31, tzinfo=UTC)


@pytest.fixture(scope="session")
def make_rule() -> MakeRule:
    """A rule of 10 % off with anything else as given."""

    def make(**changes: Any) -> Rule:
        fields: dict[str, Any] = {
            "name": "ten",
            "trigger": ("checkout_started",),
            "action": PercentageOff(Decimal(10), max_amount=Decimal(20)),
        }
        return Rule(**{**fields, **changes})

    return make


@pytest.fixture(scope="session")
def make_event(now: datetime) -> MakeEvent:
    """A checkout of 150 with anything else as given."""

    def make(**changes: Any) -> Event:
        fields: dict[str, Any] = {
            "id": "evt_1",
            "name": "checkout_started",
            "occurred_at": now,
            "user": User(id="user_1"),
            "attributes": {"cart_value": 150},
            "context": {},
        }
        return Event(**{**fields, **changes})

    return make


@pytest.fixture
def make_book(tmp_path: Path) -> MakeBook:
    """A book out of file texts by name; fails with the problems when they do not check."""

    def make(**texts: str) -> RuleSet:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        book, problems = load(tmp_path)
        assert book is not None, "\n".join(map(str, problems))
        return book

    return make
