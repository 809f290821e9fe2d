"""Shares of customers: stable, fair, and independent of each other."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from adapter.rules.guardrails.rollout import controlled, within

CUSTOMERS = [f"user_{number}" for number in range(20_000)]


def share(percent: int, rule: str = "ten", purpose: str = "percent") -> set[str]:
    return {customer for customer in CUSTOMERS if within(Decimal(percent), rule, customer, purpose)}


def test_a_share_has_about_as_many_customers_as_it_says() -> None:
    for percent in (1, 10, 50, 90):
        expected = len(CUSTOMERS) * percent / 100
        spread = 5 * (expected * (1 - percent / 100)) ** 0.5  # five standard deviations
        assert abs(len(share(percent)) - expected) < spread


def test_a_share_that_grows_keeps_its_customers() -> None:
    assert share(5) < share(6) < share(50)


def test_shares_of_two_rules_and_of_two_purposes_have_nothing_to_do_with_each_other() -> None:
    for other in (share(50, "twenty"), share(50, purpose="control")):
        assert abs(len(share(50) & other) - len(CUSTOMERS) / 4) < 5 * (len(CUSTOMERS) * 3 / 16) ** 0.5


@given(st.text(), st.text())
def test_a_rollout_of_0_or_100_percent_is_no_or_every_customer(rule: str, customer: str) -> None:
    assert within(Decimal(100), rule, customer, "percent")
    assert not within(Decimal(0), rule, customer, "percent")
    assert not controlled(Decimal(0), rule, customer)
    assert controlled(Decimal(100), rule, customer)


def test_a_customers_place_never_changes() -> None:
    assert [within(Decimal(50), "ten", f"user_{number}", "percent") for number in range(8)] == [
        True, True, False, True, True, True, True, True,
    ]  # fmt: skip
