"""Rules with a schedule: their files, whom an occurrence concerns, and their cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.model.customers import Customer
from adapter.model.triggers import Firing
from adapter.rules.engine import ruleset
from adapter.rules.engine.ruleset import RuleSet
from adapter.rules.engine.schedules import event_id
from adapter.rules.history.history import History
from adapter.rules.testing import cases, run_case
from adapter.rules.testing.vocabulary import known

Make = Callable[..., tuple[RuleSet | None, list[str]]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def of(trigger: str, definitions: str = "time_zone: Europe/Berlin\n", more: str = "") -> Any:
        text = f"name: it\ntrigger: {trigger}\n{more}\naction: {{type: free_shipping}}\n"
        (tmp_path / "it.yaml").write_text(text)
        (tmp_path / "definitions.yaml").write_text(definitions)
        book, problems = ruleset.load(tmp_path)
        return book, [str(problem).partition("it.yaml:")[2] for problem in problems]

    return of


def attributes(book: RuleSet, due: str, customer: Customer) -> dict[str, Any] | None:
    due_at = datetime.fromisoformat(due).astimezone(UTC)
    found = book.evaluate_firing(Firing("it", customer.source_id, due_at), customer, History(), due_at)
    return None if found is None else found[0].attributes


def concerned(book: RuleSet, due: str, customer: Customer) -> bool:
    """Tell whether the occurrence may concern a customer, before their history is read."""
    due_at = datetime.fromisoformat(due).astimezone(UTC)
    return book.schedules.concerned("it", due_at, due_at)(customer)


@pytest.mark.parametrize(
    ("trigger", "due", "birthdate", "years"),
    [
        ('{on: user.birthdate, at: "09:00"}', "2026-03-04T09:00:00+01:00", "1990-03-04", 36),
        ('{on: birthdate, before: 3d, at: "09:00"}', "2026-03-01T09:00:00+01:00", "1990-03-04", 36),
        ('{on: user.birthdate, after: 1w, at: "09:00"}', "2026-03-11T09:00:00+01:00", "1990-03-04", 36),
        ('{on: user.birthdate, at: "09:00"}', "2026-03-05T09:00:00+01:00", "1990-03-04", None),
        ('{on: user.birthdate, at: "09:00"}', "2026-02-28T09:00:00+01:00", "2000-02-29", 26),
        ('{on: user.birthdate, at: "09:00"}', "2028-02-28T09:00:00+01:00", "2000-02-29", None),
        ('{on: user.birthdate, at: "09:00"}', "2028-02-29T09:00:00+01:00", "2000-02-29", 28),
        # Three days before New Year's Day it is the year before.
        ('{on: user.birthdate, before: 3d, at: "09:00"}', "2026-12-29T09:00:00+01:00", "1990-01-01", 37),
        # The date itself is no anniversary, and a date to come is none.
        ('{on: user.birthdate, at: "09:00"}', "2026-03-04T09:00:00+01:00", "2026-03-04", None),
        ('{on: user.birthdate, at: "09:00"}', "2026-03-04T09:00:00+01:00", "2030-03-04", None),
        ('{on: user.birthdate, at: "09:00", repeat: once}', "2026-03-04T09:00:00+01:00", "2026-03-04", 0),
        ('{on: user.birthdate, at: "09:00", repeat: once}', "2026-03-04T09:00:00+01:00", "1990-03-04", None),
        # In Berlin it is the 4th already.
        ('{on: user.birthdate, at: "00:30"}', "2026-03-03T23:30:00+00:00", "1990-03-04", 36),
        ('{on: user.birthdate, at: "00:30", time_zone: UTC}', "2026-03-04T00:30:00+00:00", "1990-03-04", 36),
    ],
)
def test_a_date_is_due_for_those_who_have_it(
    make: Make, trigger: str, due: str, birthdate: str, years: int | None
) -> None:
    book, problems = make(trigger)
    assert book is not None, problems
    customer = Customer("ann", birthdate=birthdate)
    found = attributes(book, due, customer)
    assert (None if found is None else found.get("years")) == years
    assert concerned(book, due, customer) is (years is not None)


def test_a_birthdate_without_a_year_has_no_age(make: Make) -> None:
    book, _ = make('{on: user.birthdate, at: "09:00"}')
    assert book is not None
    found = attributes(book, "2026-03-04T09:00:00+01:00", Customer("ann", birthdate="--03-04"))
    assert found == {"due_at": "2026-03-04T08:00:00+00:00", "date": "2026-03-04"}


@pytest.mark.parametrize(
    ("definitions", "customer", "fires"),
    [
        ("", Customer("a", segments=("gold",)), True),
        ("", Customer("a"), False),
        ("segments: {gold: 'user.tier == \"gold\"'}", Customer("a", traits={"tier": "gold"}), True),
        ("segments: {gold: 'user.tier == \"gold\"'}", Customer("a"), False),
        ("segments: {gold: {source_ids: [a]}}", Customer("a"), True),
        ("segments: {gold: 'history.count(\"x\") > 0'}", Customer("a"), False),
    ],
)
def test_a_schedule_is_for_a_segment(make: Make, definitions: str, customer: Customer, fires: bool) -> None:
    book, problems = make('{every: "first day of month 09:00", for: gold}', f"{definitions}\n")
    assert book is not None, problems
    assert (attributes(book, "2026-03-01T09:00:00+00:00", customer) is not None) is fires
    assert concerned(book, "2026-03-01T09:00:00+00:00", customer) is (fires or "history" in definitions)


def test_the_id_of_a_firing_follows_from_rule_customer_and_time() -> None:
    due = datetime(2026, 3, 1, 8, tzinfo=UTC)
    ids = {event_id(Firing(*each)) for each in (("a", "x", due), ("b", "x", due), ("a", "y", due))}
    assert len(ids) == 3
    assert event_id(Firing("a", "x", due)) in ids
    assert all(each.startswith(("a@2026-03-01T08:00:00Z:", "b@2026-03-01T08:00:00Z:")) for each in ids)


@pytest.mark.parametrize(
    ("trigger", "place", "said"),
    [
        ('{every: "sometimes"}', "2:18:", "`sometimes` is no schedule"),
        ('{every: "day 09:00", fro: gold}', "2:31:", "did you mean `for`"),
        ('{every: "day 09:00", time_zone: Berlin}', "2:42:", "is no time zone"),
        ('{every: "day 09:00", if_late: never}', "2:40:", "`if_late` cannot be `never`"),
        ("{on: user.birthdate}", "2:10:", "`at` is missing"),
        ('{on: user.birthdate, at: "25:00"}', "2:35:", "is no time of the day"),
        ('{on: user.birthdate, before: 3h, at: "09:00"}', "2:39:", "is not a number of days"),
        ('{on: user.birthdate, before: 3d, after: 3d, at: "09:00"}', "2:50:", "cannot both be"),
        ('{on: user.birthdate, at: "09:00", repeat: monthly}', "2:52:", "write yearly or once"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(
    make: Make, trigger: str, place: str, said: str
) -> None:
    book, problems = make(trigger)
    assert book is None
    assert any(each.startswith(place) and said in each for each in problems), problems


def test_cases_of_schedules(make: Make, tmp_path: Path) -> None:
    book, _ = make('{on: user.birthdate, before: 3d, at: "09:00"}', more="conditions: ['years >= 18']")
    assert book is not None
    (tmp_path / "it.test.yaml").write_text(
        "cases:\n"
        '  - {name: birthday, now: "2026-03-01T09:00:00+01:00", due: it,\n'
        '     customer: {birthdate: "1990-03-04"}, expect: {it: issued}}\n'
        '  - {name: a child, now: "2026-03-01T09:00:00+01:00", due: it,\n'
        '     customer: {birthdate: "2015-03-04"}, expect: {it: not_met}}\n'
        '  - {name: another day, now: "2026-03-02T09:00:00+01:00", due: it,\n'
        '     customer: {birthdate: "1990-03-04"}, expect: {it: none}}\n'
    )
    found, problems = cases.load(tmp_path, known(book, None))
    assert not problems
    assert [run_case.run(case, book).missed for case in found] == [(), (), ()]
