"""Triggers by a change of a trait or a segment: their files, and the changes that they see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.rules.engine import ruleset
from adapter.rules.engine.changes import CustomerChange
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.expressions import Names
from adapter.rules.history.history import History
from adapter.rules.testing import cases, run_case

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Make = Callable[..., tuple[RuleSet | None, list[str]]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def of(trigger: str, names: Names | None = None, definitions: str = "", more: str = "") -> Any:
        text = f"name: it\ntrigger: {trigger}\n{more}\naction: {{type: free_shipping}}\n"
        (tmp_path / "it.yaml").write_text(text)
        (tmp_path / "definitions.yaml").write_text(definitions)
        book, problems = ruleset.load(tmp_path, names)
        return book, [str(problem).partition("it.yaml:")[2] for problem in problems]

    return of


def changed(book: RuleSet, before: Customer, after: Customer, *, known: bool = True) -> list[dict[str, Any]]:
    change = CustomerChange(before, after, known, "m1", NOW, {})
    return [each.event.attributes for each in book.changes.of(change, History(), NOW)]


def tier(value: Any) -> Customer:
    return Customer("ann", traits={} if value is None else {"tier": value})


@pytest.mark.parametrize(
    ("trigger", "before", "after", "fires"),
    [
        ("{trait: tier, to: gold}", "silver", "gold", True),
        ("{trait: tier, to: gold}", None, "gold", True),
        ("{trait: tier, to: gold}", "gold", "gold", False),
        ("{trait: tier, to: gold}", "gold", "silver", False),
        ("{trait: tier, from: silver, to: gold}", "silver", "gold", True),
        ("{trait: tier, from: silver, to: gold}", "bronze", "gold", False),
        ("{trait: tier, from: silver, to: gold}", None, "gold", False),
        ("{trait: tier, from: silver}", "silver", "bronze", True),
        ("{trait: tier}", "silver", "bronze", True),
        ("{trait: tier}", "silver", None, False),
        ("{trait: tier, to: 1}", False, True, False),
        ("{trait: tier, to: true}", False, True, True),
        ("{trait: user.tier, to: 2}", 1, 2.0, True),
    ],
)
def test_a_change_fires_where_the_values_are_those_of_the_trigger(
    make: Make, trigger: str, before: Any, after: Any, fires: bool
) -> None:
    book, problems = make(trigger)
    assert book is not None, problems
    assert bool(changed(book, tier(before), tier(after))) is fires


def test_the_event_of_a_change_has_the_old_and_the_new_value(make: Make) -> None:
    book, _ = make("{trait: loyalty.tier, to: gold}")
    assert book is not None
    before, after = (Customer("a", traits={"loyalty": {"tier": each}}) for each in ("silver", "gold"))
    assert changed(book, before, after) == [{"trait": "loyalty.tier", "from": "silver", "to": "gold"}]
    assert changed(book, before, after, known=False) == []


def test_standard_fields_are_traits(make: Make) -> None:
    book, _ = make("{trait: email}")
    assert book is not None
    assert changed(book, Customer("a"), Customer("a", email="a@example.org"))


@pytest.mark.parametrize(
    ("way", "before", "after", "fires"),
    [
        ("entered", (), ("vip",), True),
        ("entered", ("vip",), ("vip", "b"), False),
        ("entered", ("vip",), (), False),
        ("left", ("vip",), (), True),
        ("left", (), ("vip",), False),
    ],
)
def test_a_segment_is_entered_or_left(
    make: Make, way: str, before: tuple[str, ...], after: tuple[str, ...], fires: bool
) -> None:
    book, _ = make(f"{{segment: vip, {way}: true}}")
    assert book is not None
    assert bool(changed(book, Customer("a", segments=before), Customer("a", segments=after))) is fires


def test_a_segment_of_traits_is_entered_when_they_come_to_it(make: Make) -> None:
    book, problems = make(
        "{segment: vip, entered: true}", definitions="segments: {vip: 'user.tier == \"gold\"'}\n"
    )
    assert book is not None, problems
    assert changed(book, tier(None), tier("gold"))
    assert not changed(book, tier("gold"), tier("gold"))
    assert not changed(book, tier(None), tier("gold"), known=False)


@pytest.mark.parametrize(
    ("trigger", "place", "said"),
    [
        ("{trait: tier, to: [a]}", "2:28:", "`to` is a list"),
        ("{trait: tier, to: gold, from: gold}", "2:40:", "is the same as `to`"),
        ("{segment: vip}", "2:10:", "entered or left"),
        ("{segment: vip, entered: true, left: true}", "2:10:", "entered or left"),
        ("{trait: tier, into: gold}", "2:24:", "did you mean `to`"),
        ("{to: gold, trait: }", "2:", "`trait` is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(
    make: Make, trigger: str, place: str, said: str
) -> None:
    book, problems = make(trigger)
    assert book is None
    assert any(each.startswith(place) and said in each for each in problems), problems


def test_a_segment_of_the_past_cannot_be_watched(make: Make) -> None:
    book, problems = make(
        "{segment: vip, entered: true}",
        definitions="segments: {vip: 'history.count(\"order_completed\") > 3'}\n",
    )
    assert book is None
    assert "reads more than traits" in problems[0]


def test_a_misspelt_trait_and_attribute_are_refused(make: Make) -> None:
    names = Names(
        attributes=frozenset(), traits=frozenset(("tier",)), context=frozenset(), events=frozenset(),
        doubts=[],
    )  # fmt: skip
    assert make("{trait: tierr, to: gold}", names)[0] is None
    assert make("{trait: tier, to: gold}", names, more="conditions: ['attributes.too == 1']")[0] is None
    assert make("{trait: tier, to: gold}", names, more="conditions: ['from == \"silver\"']")[0] is not None


def test_a_case_changes_a_trait_or_a_segment(make: Make, tmp_path: Path) -> None:
    book, _ = make("{trait: tier, from: silver, to: gold}")
    assert book is not None
    (tmp_path / "it.test.yaml").write_text(
        "cases:\n"
        "  - name: up\n    customer: {traits: {tier: silver}}\n    change: {trait: tier, to: gold}\n"
        "    expect: {it: issued}\n"
        "  - name: down\n    customer: {traits: {tier: gold}}\n    change: {trait: tier, to: silver}\n"
        "    expect: {it: none}\n"
        "  - name: wrong\n    change: {segment: vip, entered: true}\n    expect: {it: issued}\n"
    )
    found, problems = cases.load(tmp_path)
    assert not problems
    assert [run_case.run(case, book).passed for case in found] == [True, True, False]
