"""Lift: who counts, which conversions count, and how sure one can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapter.model.decisions import Decision, RuleOutcome
from adapter.rules.lift import (
    RATIO_MISMATCH,
    Conversion,
    Exposure,
    Group,
    Lift,
    exposures,
    interval,
    lift,
    ratio_p_value,
)

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)


def bought(who: str, day: float, worth: int = 100) -> Conversion:
    return Conversion(who, START + day * DAY, Decimal(worth))


def test_a_decision_counts_served_and_held_out_customers() -> None:
    outcomes = (
        RuleOutcome("a", "issued", "", code="X"),
        RuleOutcome("b", "control", ""),
        RuleOutcome("c", "withheld", ""),
        RuleOutcome("d", "shadow", ""),
    )
    decision = Decision("evt", "checkout_started", "ann", START, "0f", outcomes, {})
    assert list(exposures(decision)) == [
        Exposure("a", "issued", "ann", START, ("checkout_started", "evt")),
        Exposure("b", "control", "ann", START, ("checkout_started", "evt")),
    ]


def test_conversions_count_from_the_first_exposure_until_the_window_has_passed() -> None:
    shown = [
        Exposure("a", "issued", "ann", START + 2 * DAY),
        Exposure("a", "issued", "ann", START + DAY),
        Exposure("a", "issued", "bob", START),
        Exposure("a", "control", "cem", START),
        Exposure("b", "control", "ann", START + 30 * DAY),
    ]
    orders = [
        bought("ann", 0.9),
        bought("ann", 1),
        bought("ann", 7.9, 50),
        bought("bob", 7),
        bought("cem", 6.9, 30),
    ]
    assert lift(shown, orders, 7 * DAY) == [
        Lift("a", Group(2, 1, {"": Decimal(150)}), Group(1, 1, {"": Decimal(30)})),
        Lift("b", Group(), Group(1, 0)),
    ]


def test_the_order_that_earned_the_discount_is_no_conversion_whatever_its_time() -> None:
    shown = [Exposure("a", "issued", "ann", START, ("bought", "order-1"))]
    late = START + timedelta(hours=1)  # by the sender's clock, which is ahead
    orders = [Conversion("ann", late, Decimal(100), "EUR", ("bought", "order-1"))]
    assert lift(shown, orders, 7 * DAY) == [Lift("a", Group(1, 0), Group())]
    more = [*orders, Conversion("ann", late, Decimal(5), "EUR", ("bought", "order-2"))]
    assert lift(shown, more, 7 * DAY) == [Lift("a", Group(1, 1, {"EUR": Decimal(5)}), Group())]


def test_currencies_are_not_added_up() -> None:
    shown = [Exposure("a", "issued", "ann", START)]
    orders = [
        Conversion("ann", START + DAY, Decimal(worth), currency)
        for worth, currency in ((5, "EUR"), (7, "USD"), (2, "EUR"))
    ]
    [found] = lift(shown, orders, 7 * DAY)
    assert found.issued.worth == {"EUR": Decimal(7), "USD": Decimal(7)}


@pytest.mark.parametrize(
    ("issued", "control", "low", "high"),
    # Newcombe 1998, table II, method 10, examples (a), (b), (e), (h)
    [
        (Group(70, 56), Group(80, 48), 0.0524, 0.3339),
        (Group(10, 9), Group(10, 3), 0.1705, 0.8090),
        (Group(56, 5), Group(29, 0), -0.0381, 0.1926),
        (Group(10, 10), Group(10, 0), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_that_of_the_papers_examples(
    issued: Group, control: Group, low: float, high: float
) -> None:
    found = Lift("a", issued, control).interval()
    assert found == pytest.approx((low, high), abs=0.00005)


def test_without_a_control_group_no_lift_is_given() -> None:
    assert Lift("a", Group(5, 1), Group()).interval() is None


def test_variants_are_parts_of_the_customers_that_were_served() -> None:
    outcome = RuleOutcome("a", "issued", "", code="X", variant="B")
    decision = Decision("evt", "checkout_started", "ann", START, "0f", (outcome,), {})
    shown = [
        *exposures(decision),
        Exposure("a", "issued", "bob", START, variant="A"),
        Exposure("a", "control", "cem", START),
    ]
    [found] = lift(shown, [bought("ann", 1, 70)], 7 * DAY)
    assert found.variants == {"A": Group(1, 0), "B": Group(1, 1, {"": Decimal(70)})}
    assert (found.issued.customers, found.control.customers) == (2, 1)
    found.add(Lift("a", Group(1, 1), Group(), {"C": Group(1, 1)}))
    assert (found.issued.converted, sorted(found.variants)) == (2, ["A", "B", "C"])


def test_a_variant_has_an_interval_against_the_control_group() -> None:
    bounds = interval(Group(200, 80), Group(100, 25))
    assert bounds == pytest.approx((0.0363, 0.2516), abs=0.0001)
    assert interval(Group(200, 80), Group()) is None


@pytest.mark.parametrize(
    ("customers", "shares", "p_value"),
    [
        ({"A": 5000, "B": 5000}, {"A": 50, "B": 50}, 1),
        ({"A": 821_588, "B": 815_482}, {"A": 50, "B": 50}, 1.8e-6),  # the example of Fabijan and others
        ({"A": 480, "B": 520}, {"A": 50, "B": 50}, 0.2059),
        ({"A": 90, "B": 110, "C": 100}, {"A": 30, "B": 35, "C": 35}, 0.8090),
        ({"A": 20, "B": 30, "C": 25, "D": 25}, {"A": 25, "B": 25, "C": 25, "D": 25}, 0.5724),
        ({"A": 120, "B": 90, "C": 100, "D": 95, "E": 95}, dict.fromkeys("ABCDE", 20), 0.2397),
        ({**dict.fromkeys("BCDF", 95), "A": 120, "E": 100}, dict.fromkeys("ABCDEF", 10), 0.4159),
        ({**dict.fromkeys("BCDEFG", 95), "A": 120}, dict.fromkeys("ABCDEFG", 10), 0.4894),
        ({"A": 3, "B": 1}, {"A": 50, "B": 50}, None),  # too few
        ({"A": 500, "old": 500}, {"A": 50, "B": 50}, None),  # the file has other variants
        ({"A": 500}, {"A": 100}, None),
        ({}, {"A": 50, "B": 50}, None),
    ],
)
def test_the_sample_ratio_is_tested(
    customers: dict[str, int], shares: dict[str, int], p_value: float | None
) -> None:
    found = ratio_p_value(customers, {name: Decimal(share) for name, share in shares.items()})
    assert found == (p_value if p_value is None else pytest.approx(p_value, rel=0.05))
    assert RATIO_MISMATCH == 0.001
