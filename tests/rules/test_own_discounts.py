"""`discounts.count`: what it counts, what it says, and where it is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapter.model.actions import PercentageOff
from adapter.model.customers import Customer
from adapter.model.discounts import Discount, DiscountRecord, Status
from adapter.model.events import Event
from adapter.rules.engine.beside import Beside
from adapter.rules.engine.ruleset import RuleSet, load
from adapter.rules.expressions import ExpressionError, Metric, Names, Node, parse, reads, text
from adapter.rules.history.history import History
from adapter.rules.history.own_discounts import MOST, OwnDiscounts
from adapter.rules.testing.cases import load as load_cases
from adapter.rules.testing.run_case import run

NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def held(
    rule: str, status: Status, issued: int, moved: int, ends: int | None = None, at: int = 0
) -> DiscountRecord:
    """Return a discount by how many days ago it was issued and moved, and in how many it ends."""
    end = None if ends is None else NOW + ends * DAY
    discount = Discount(f"C{at}", PercentageOff(Decimal(5)), end, {}, False, status)
    return DiscountRecord(discount, "ann", rule, "e", NOW - issued * DAY, NOW - moved * DAY)


OWN = OwnDiscounts(
    [
        held("a", "redeemed", 40, 10),
        held("a", "issued", 5, 5, ends=3),
        held("a", "issued", 20, 20, ends=-6),
        held("b", "revoked", 9, 1),
        held("b", "applied", 50, 2),
    ]
)


def book_of(folder: Path, condition: str) -> RuleSet:
    (folder / "rules.yaml").write_text(
        f"rules:\n  - {{name: a, trigger: x, action: {{type: free_shipping}}}}\n"
        f"  - name: b\n    trigger: checkout_started\n    conditions: ['{condition}']\n"
        "    action: {type: free_shipping}\n"
    )
    book, problems = load(folder)
    assert book is not None, problems
    return book


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("discounts.count()", 5),
        ('discounts.count("any")', 5),
        ('discounts.count("a")', 3),
        ('discounts.count("a", "any", "30d")', 2),
        ('discounts.count("a", "issued")', 1),
        ('discounts.count("a", "issued", "4d")', 0),
        ('discounts.count("any", "redeemed", "11d")', 1),
        ('discounts.count("any", "redeemed", "9d")', 0),
        ('discounts.count("a", "expired", "7d")', 1),
        ('discounts.count("a", "expired", "5d")', 0),
        ('discounts.count("any", "applied", "3d")', 1),
        ('discounts.count("b", "revoked", "2d")', 1),
    ],
)
def test_a_count_is_of_a_rule_and_a_status_since_a_moment(
    call: str, count: int, tmp_path: Path, make_event: Callable[..., Event]
) -> None:
    for wanted, expected in ((count, 1), (count + 1, 0)):
        book = book_of(tmp_path, f"{call} == {wanted}")
        verdict = book.evaluate(make_event(), Customer("ann"), History(), NOW, beside=Beside(discounts=OWN))
        assert len(verdict.proposals) == expected
    assert book.counting == {"checkout_started"}


def test_a_count_that_was_not_read_is_missing_and_the_sentence_names_it(
    tmp_path: Path, make_event: Callable[..., Event]
) -> None:
    book = book_of(tmp_path, 'discounts.count("a", "redeemed", "30d") >= 2')
    [said] = book.evaluate(
        make_event(), Customer("ann"), History(), NOW, beside=Beside(discounts=OWN)
    ).outcomes
    assert said.reason == (
        "not issued: number of the customer's redeemed discounts of a in 30d is 1, needs at least 2"
    )
    for condition in ('discounts.count("a") < 9', '!(discounts.count("a") < 9)'):
        book = book_of(tmp_path, condition)
        assert not book.evaluate(make_event(), Customer("ann"), History(), NOW).proposals
    assert not book.metrics.events  # the history of events keeps nothing of it


def test_of_many_discounts_the_newest_are_counted() -> None:
    many = OwnDiscounts(held("a", "redeemed", at, at, at=at) for at in range(MOST + 50))
    condition = parse('discounts.count("a") > 0', Names())
    [metric] = vars_of(condition)
    assert many.count(metric, NOW) == MOST
    assert many.count(replace(metric, window=3 * DAY), NOW) == 4


def vars_of(node: Node) -> list[Metric]:
    return list(reads(node).metrics)


@pytest.mark.parametrize(
    ("condition", "written"),
    [
        ("discounts.count() > 0", "discounts.count() > 0"),
        ('discounts.count("any", "any") > 0', "discounts.count() > 0"),
        ('discounts.count("any", "redeemed") > 0', 'discounts.count("any", "redeemed") > 0'),
        ('discounts.count("a", "any", "30d") > 0', 'discounts.count("a", "any", "30d") > 0'),
    ],
)
def test_a_count_is_written_as_it_is_read(condition: str, written: str) -> None:
    assert text(parse(condition, Names())) == written


def test_an_array_of_that_name_is_counted_with_a_name() -> None:
    assert not vars_of(parse("discounts.count(d, d.value > 5) == 1", Names()))


@pytest.mark.parametrize(
    ("condition", "says", "at"),
    [
        ('discounts.count("a", "redemed") > 0', "`redemed` is no status", 21),
        ('discounts.count("a", "redeemed", "a month") > 0', "`a month` is not a window", 33),
        ('discounts.count("a", "redeemed", "3d", "x") > 0', "takes 3 texts, not 4", 10),
    ],
)
def test_a_slip_is_shown_at_its_place(condition: str, says: str, at: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(condition, Names())
    assert says in caught.value.message
    assert caught.value.offset == at


def test_segments_and_shared_codes_cannot_count_and_unknown_rules_are_doubted(tmp_path: Path) -> None:
    (tmp_path / "definitions.yaml").write_text(
        "definitions: {had: discounts.count() > 0}\nsegments: {seg: had}\n"
    )
    (tmp_path / "rules.yaml").write_text(
        "rules:\n"
        "  - {name: code, conditions: [had], action: {type: free_shipping, code: SUMMER}}\n"
        "  - {name: ten, trigger: x, conditions: ['discounts.count(\"tenn\") > 0'],"
        " action: {type: free_shipping}}\n"
    )
    _, problems = load(tmp_path)
    found = [(each.mark.line, each.severity, each.message.split(":")[0]) for each in problems]
    assert found == [
        (2, "error", "a segment cannot count discounts"),
        (2, "error", "a shared code cannot count discounts"),
        (3, "warning", "`discounts.count` names the rule `tenn`, which is not there"),
    ]


def test_a_case_lists_the_discounts_of_its_past(tmp_path: Path) -> None:
    book = book_of(tmp_path, 'discounts.count("a", "redeemed", "30d") == 1')
    (tmp_path / "a.test.yaml").write_text(
        "cases:\n"
        "  - {name: in time, had: [{rule: a, status: redeemed, ago: 20d}], event: {name: checkout_started},"
        " expect: {b: issued}}\n"
        "  - {name: long ago, had: [{rule: a, status: redeemed, ago: 40d}], event: {name: checkout_started},"
        " expect: {b: not_met}}\n"
        "  - {name: unused, had: [{rule: a}], event: {name: checkout_started}, expect: {b: not_met}}\n"
    )
    cases, problems = load_cases(tmp_path)
    assert not problems
    assert [run(case, book).missed for case in cases] == [(), (), ()]
