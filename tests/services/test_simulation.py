"""Simulation: the parts that the property test against a live server does not show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter.errors import InvalidDraft
from adapter.model.event_names import EventNames
from adapter.model.events import Event, User
from adapter.model.operations import EventOccurred
from adapter.rules.engine import ruleset
from adapter.rules.engine.ruleset import RuleSet
from adapter.services.figures import Figures, RuleFigures
from adapter.services.ingest.work_item import Work
from adapter.services.simulation import sweep
from adapter.services.simulation.page import page
from adapter.services.simulation.rates import Rates, wilson
from adapter.services.simulation.report import Report, report
from adapter.services.simulation.run import Book, simulate
from adapter.services.simulation.seen import Seen
from adapter.services.simulation.spool import Spool
from adapter.services.simulation.traffic import Traffic

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IN_FORCE = """\
rules:
  - name: cart
    trigger: checkout_started
    conditions: {all: [cart_value >= 100, country == "US"]}
    action: {type: percentage_off, value: 10, max_amount: 20, currency: EUR, expires_in_hours: 48}
    guardrails: {max_daily_redemptions: 2, stackable: true}
  - name: ship
    trigger: checkout_started
    conditions: {all: [cart_value >= 50]}
    action: {type: free_shipping, expires_in_hours: 1}
    guardrails: {stackable: true, eligible_segments: [vip]}
"""
DRAFT = IN_FORCE.replace("max_daily_redemptions: 2", "max_daily_redemptions: 3").replace(">= 100", ">= 110")


def _book(folder: Path, text: str) -> RuleSet:
    folder.mkdir(exist_ok=True)
    (folder / "rules.yaml").write_text(text)
    found, problems = ruleset.load(folder)
    assert found is not None, problems
    return found


def _traffic(*said: tuple[float, str, float]) -> Traffic:
    """Return checkouts: hours from noon, the customer, the cart's value."""
    found = Traffic(Spool(), Spool(), messages=len(said))
    for nth, (hours, who, value) in enumerate(said):
        at = NOON + timedelta(hours=hours)
        attributes = {"cart_value": value, "country": "US"}
        event = Event(f"e{nth}", "checkout_started", at, User(id=who), attributes, {})
        found.works.add(at, Work("s", f"e{nth}", f"e{nth}", at, (EventOccurred(who, event),), decided_at=at))
    return found


def _compared(tmp_path: Path, found: Traffic, rates: Rates) -> Report:
    books = [("in force", IN_FORCE), ("draft", DRAFT)]
    loaded = [(name, _book(tmp_path / name, text)) for name, text in books]
    played = simulate(found, [Book.of(name, book, found, names=EventNames()) for name, book in loaded])
    return report(played, found, rates, {})


def test_the_report_says_what_was_issued_withheld_and_what_changes(tmp_path: Path) -> None:
    rates = Rates([RuleFigures("cart", {(NOON.date(), "EUR"): Figures(issued=100, open=20, redeemed=20)})])
    carts = [(0, "a", 120), (1, "b", 105), (2, "c", 150), (3, "d", 200), (30, "e", 40)]
    found = _compared(tmp_path, _traffic(*carts), rates)
    before, after = (book.rules[0] for book in found.books)
    assert (before.triggered, before.met, before.issued, before.withheld) == (
        5, 4, 2, {"max_daily_redemptions": 2}
    )  # fmt: skip
    assert before.ran_out == {"max_daily_redemptions": [NOON.date()]}
    assert (after.issued, after.withheld, after.customers) == (3, {}, 3)
    assert after.liability == {"EUR": Decimal(60)}
    assert [day.issued for day in after.days] == [3, 0]
    assert after.expected is not None
    assert (after.expected.rate.redeemed, after.expected.rate.closed) == (20, 80)
    low, middle, high = after.expected.cost["EUR"]
    assert low < middle == Decimal("15.00") < high
    compared = found.comparison
    assert compared is not None
    assert (compared.winners, compared.losers, compared.same) == (2, 1, 1)
    assert [(each.source_id, each.why) for each in compared.fewer] == [
        ("b", "not issued: cart_value is 105, needs at least 110")
    ]
    withheld = "not issued: 2 of 2 discounts of this rule are out today (max_daily_redemptions)"
    assert [(each.source_id, each.why) for each in compared.more] == [("c", withheld), ("d", withheld)]


def test_a_funnel_shows_which_condition_costs_most(tmp_path: Path) -> None:
    found = _compared(tmp_path, _traffic((0, "a", 120), (1, "b", 90), (2, "c", 80)), Rates(()))
    cart = found.books[0].rules[0]
    assert [(step.condition, round(step.reached, 2), round(step.alone, 2)) for step in cart.funnel] == [
        ("cart_value >= 100", 0.33, 0.67),
        ('country == "US"', 0.33, 0.0),
    ]
    assert cart.expected is None  # no rate was observed


def test_overlaps_and_looks_at_segments_are_counted(tmp_path: Path) -> None:
    found = _compared(tmp_path, _traffic((0, "a", 120)), Rates(()))
    assert found.books[0].overlap == [("cart", "ship", 1)]
    assert found.books[0].touched == 1


def test_the_page_stands_alone_and_shows_every_part(tmp_path: Path) -> None:
    found = _compared(tmp_path, _traffic((0, "<b>", 120), (3, "d", 200)), Rates(()))
    points = [sweep.Point(str(n), "", n, 0, n, {"EUR": Decimal(n)}) for n in (1, 2)]
    text = page(found, sweep.Sweep([sweep.read("guardrails.max_daily_redemptions=1,2")], points))
    for mark in ("http://", "https://", "<script", "url(", "@import", " src=", "<b>d", "<b></"):
        assert mark not in text
    assert "prefers-color-scheme:dark" in text
    assert text.count("<svg") >= 6
    for part in ("Day by day", "What changes", "What if", "Overlap", "Assumptions", "Funnel of cart"):
        assert part in text
    for each in found.assumptions:
        assert each in text


@pytest.mark.parametrize("part", [3, 100])
def test_a_spool_yields_in_the_order_of_time_and_of_arrival(part: int) -> None:
    numbers = [Random(1).randrange(5) for _ in range(20)]
    with Spool(part) as spool:
        for nth, number in enumerate(numbers):
            spool.add(NOON + timedelta(hours=number), nth)
        expected = sorted(range(20), key=lambda nth: (numbers[nth], nth))
        assert [value for _, value in spool] == expected
        assert [value for _, value in spool] == expected  # and once more


def test_seen_keeps_thousands_apart_in_few_bytes() -> None:
    seen = Seen()
    assert all(seen.add("s", str(n)) for n in range(9_000))
    assert not any(seen.add("s", str(n)) for n in range(9_000))
    assert seen.has("s", "1")
    assert not seen.has("s", "9001")
    assert not seen.has("s1", "")
    assert len(seen._slots) * seen._slots.itemsize <= 9_000 * 32


def test_wilsons_interval() -> None:
    """The example of R's prop.test(20, 80, correct = FALSE)."""
    low, high = wilson(20, 80)
    assert (round(low, 4), round(high, 4)) == (0.1681, 0.3548)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("text", ["guardrails", "=1", "a.=1", "a=", "a=,"])
def test_a_sweep_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidDraft, match="write `guardrails"):
        sweep.read(text)


def test_a_sweep_changes_the_rules_that_have_the_member(tmp_path: Path) -> None:
    _book(tmp_path / "rules", IN_FORCE)
    for text, changed, expected in (
        ("guardrails.max_daily_redemptions=7", 1, [7, None]),
        ("ship:guardrails.max_daily_redemptions=9", 1, [2, 9]),
        ("guardrails.nothing=1", 0, [2, None]),
    ):
        into = tmp_path / text.replace(":", "_")
        into.mkdir()
        asked = [sweep.read(text)]
        assert sweep.with_values(tmp_path / "rules", into, asked, asked[0].values) == changed
        found, problems = ruleset.load(into)
        assert found is not None, problems
        caps: list[Any] = [rule.guardrails.max_daily_redemptions for rule in found.rules]
        assert caps == expected


def test_a_simulation_of_a_million_combinations_is_refused() -> None:
    asked = [sweep.read(f"{name}={','.join(map(str, range(50)))}") for name in ("a", "b")]
    with pytest.raises(InvalidDraft, match="100 combinations"):
        sweep.combinations(asked)


def test_memory_does_not_grow_with_events(tmp_path: Path) -> None:
    """What has expired is gone, and events are not kept: hundreds leave no more behind than ten."""

    def kept(count: int) -> tuple[int, int, int]:
        found = _traffic(*((2 * nth, "a", 120.0) for nth in range(count)))
        book = Book.of("x", _book(tmp_path / "x", IN_FORCE.replace("48", "1")), found, names=EventNames())
        simulate(found, [book])
        state = book.simulator.state
        return len(state.open), len(state.customers), len(state._due)

    assert kept(2) == (1, 1, 1)
    assert max(kept(298)) <= 1


def test_schedules_fire_on_the_simulated_clock(tmp_path: Path) -> None:
    """A day at 09:00 for customers who are known by then, and for them alone."""
    daily = (
        "name: daily\ntrigger: {every: day 09:00}\n"
        "action: {type: percentage_off, value: 5, expires_in_hours: 1}\n"
    )
    found = _traffic((0, "a", 120), (1, "b", 120), (30, "c", 10), (46, "a", 10))
    book = Book.of("x", _book(tmp_path / "x", daily), found, names=EventNames())
    simulate(found, [book])
    days = book.tally.rules["daily"].days
    assert [(day.isoformat(), each.issued) for day, each in sorted(days.items())] == [
        ("2026-03-02", 2),
        ("2026-03-03", 3),
    ]
    assert book.rules.triggered()["daily"].total() == 5
