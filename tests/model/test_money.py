"""Minor units by each currency's own digits."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.money import from_minor_units, minor_units, neighbours


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("12.34", "USD", 1234),
        ("12.341", "USD", 1235),
        ("500", "JPY", 500),
        ("1.2345", "KWD", 1235),
        ("0", "EUR", 0),
    ],
)
def test_a_fraction_of_a_minor_unit_counts_as_a_whole_one(amount: str, currency: str, units: int) -> None:
    assert minor_units(Decimal(amount), currency) == units


def test_a_cap_can_be_rounded_down() -> None:
    assert minor_units(Decimal("12.349"), "USD", ROUND_FLOOR) == 1234


@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_minor_units_and_amounts_lead_to_each_other(units: int, currency: str) -> None:
    assert minor_units(from_minor_units(units, currency), currency) == units


@pytest.mark.parametrize(
    ("amount", "currency", "below", "above"),
    [
        ("5.5", "JPY", "5", "6"),
        ("5.555", "EUR", "5.55", "5.56"),
        ("5.55", "EUR", "5.55", "5.55"),
        ("5.5", "EUR", "5.50", "5.50"),
        ("5.555", "KWD", "5.555", "5.555"),
        ("0.001", "EUR", "0.00", "0.01"),
    ],
)
def test_an_amount_lies_between_the_nearest_payable_amounts(
    amount: str, currency: str, below: str, above: str
) -> None:
    assert tuple(map(str, neighbours(Decimal(amount), currency))) == (below, above)
