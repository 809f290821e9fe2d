"""Lift: who counts, which conversions count, and how sure one can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adapter.model.decisions import Decision, RuleOutcome
from adapter.rules.lift import Conversion, Exposure, Group, Lift, exposures, lift

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
