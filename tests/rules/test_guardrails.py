"""Claims: what each limit reserves, in the rule's own time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.model.counter_key import CounterKey, ScopedKey
from adapter.model.discounts import CounterReservation
from adapter.model.rules import Budget, Guardrails
from adapter.rules.engine.select import exceeded, fitting
from adapter.rules.guardrails.contract import ALL_RULES
from adapter.rules.guardrails.counters import Counting, claims


def claimed(
    guardrails: Guardrails, now: datetime, device: str | None = None, rule: str = "ten"
) -> list[CounterReservation]:
    return list(claims(rule, guardrails, source_id="ann", device_id=device, now=now, cost=Decimal("12.345")))


def test_a_daily_cap_is_one_counter_of_the_whole_shop_a_day(now: datetime) -> None:
    assert claimed(Guardrails(max_daily_redemptions=300), now) == [
        CounterReservation("", CounterKey("ten|day|2026-11-21"), 300, 1, "max_daily_redemptions")
    ]


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Europe/Berlin", "2026-10-24T21:59:59Z", "2026-10-24"),  # 23:59:59 in summer time
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25"),  # the day of 25 hours begins
        ("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-10-25"),  # and ends an hour later than it began
        ("Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-26"),
        ("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07"),
        ("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08"),  # the day of 23 hours
        ("America/New_York", "2026-03-09T04:00:00Z", "2026-03-09"),
        ("Asia/Kolkata", "2026-01-01T18:30:00Z", "2026-01-02"),
        ("UTC", "2026-01-01T23:59:59Z", "2026-01-01"),
    ],
)
def test_a_day_is_a_day_of_the_rules_time_zone(zone: str, at: str, day: str) -> None:
    guardrails = Guardrails(max_daily_redemptions=1, time_zone=zone)
    assert claimed(guardrails, datetime.fromisoformat(at))[0].key == f"ten|day|{day}"


@pytest.mark.parametrize(
    ("zone", "at", "week"),
    [
        ("UTC", "2026-12-31T12:00:00Z", "2026-W53"),
        ("UTC", "2027-01-03T23:59:59Z", "2026-W53"),
        ("UTC", "2027-01-04T00:00:00Z", "2027-W01"),
        ("Europe/Berlin", "2026-03-22T22:59:59Z", "2026-W12"),  # ends in winter time
        ("Europe/Berlin", "2026-03-29T21:59:59Z", "2026-W13"),  # the week of 167 hours ends in summer time
        ("Europe/Berlin", "2026-03-29T22:00:00Z", "2026-W14"),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", "2026-W43"),  # and that of 169 in winter time
        ("Europe/Berlin", "2026-10-25T23:00:00Z", "2026-W44"),
        ("America/Los_Angeles", "2026-03-09T06:59:59Z", "2026-W10"),
        ("America/Los_Angeles", "2026-03-09T07:00:00Z", "2026-W11"),
    ],
)
def test_a_week_is_an_iso_week_of_the_rules_time_zone(zone: str, at: str, week: str) -> None:
    guardrails = Guardrails(max_weekly_redemptions=1, time_zone=zone)
    assert claimed(guardrails, datetime.fromisoformat(at))[0].key == f"ten|week|{week}"


def test_a_limit_per_user_counts_for_the_customer_and_for_the_device(now: datetime) -> None:
    guardrails = Guardrails(per_user_limit=2, per_user_period="month")
    assert claimed(guardrails, now, "phone") == [
        CounterReservation("ann", CounterKey("ten|user|month|2026-11"), 2, 1, "per_user_limit"),
        CounterReservation("device:phone", CounterKey("ten|user|month|2026-11"), 2, 1, "per_user_limit"),
    ]


def test_a_budget_reserves_the_most_a_discount_can_cost_in_minor_units(now: datetime) -> None:
    budget = Budget(currency="EUR", daily=Decimal("100.999"), total=Decimal(5000))
    assert claimed(Guardrails(budget=budget), now) == [
        CounterReservation("", CounterKey("ten|budget|EUR|day|2026-11-21"), 10099, 1235, "budget"),
        CounterReservation("", CounterKey("ten|budget|EUR|total"), 500000, 1235, "budget"),
    ]


@pytest.mark.parametrize(
    "guardrails",
    [
        Guardrails(max_daily_redemptions=1, per_user_limit=2, time_zone="Europe/Berlin"),
        Guardrails(max_weekly_redemptions=1),
        Guardrails(per_user_limit=1, per_user_period="month", time_zone="America/New_York"),
        Guardrails(budget=Budget(currency="EUR", daily=Decimal(5)), cooldown=timedelta(days=1)),
        Guardrails(per_user_limit=2, per_user_window=timedelta(hours=1), max_total_redemptions=4),
        Guardrails(),
    ],
)
@given(hours=st.lists(st.integers(0, 24 * 40), max_size=9))
def test_claims_prepared_once_are_those_of_the_moment_in_whatever_order_moments_come(
    guardrails: Guardrails, hours: list[int], now: datetime
) -> None:
    prepared = Counting("ten", guardrails, Decimal("12.345"))
    for moment in (now + timedelta(hours=count) for count in hours):
        found = prepared.claims("ann", "phone", moment)
        assert found == claimed(guardrails, moment, "phone")
        assert prepared.idle is (not found)


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 13), ("USD", 1235), ("KWD", 12345)])
def test_money_has_its_currencys_own_digits(currency: str, amount: int, now: datetime) -> None:
    budget = Budget(currency=currency, total=Decimal(100))
    assert claimed(Guardrails(budget=budget), now)[0].amount == amount


def test_limits_over_all_rules_have_counters_of_their_own(now: datetime) -> None:
    (claim,) = claimed(Guardrails(max_total_redemptions=9), now, rule=ALL_RULES)
    assert claim == CounterReservation("", CounterKey("*|total"), 9, 1, "global.max_total_redemptions")


def replay(make_claims: Any, guardrails: Guardrails, gaps: list[int]) -> list[int]:
    """Ask after each gap, and return when it was granted."""
    used: Counter[ScopedKey] = Counter()
    granted: list[int] = []
    at = 1_790_000_000
    for gap in gaps:
        at += gap
        taken = fitting(make_claims(guardrails, datetime.fromtimestamp(at, UTC)), used)
        if isinstance(taken, list):
            granted.append(at)
            for claim in taken:
                used[claim.scope, claim.key] += claim.amount
    return granted


def model(limit: int, window: int, gaps: list[int]) -> list[int]:
    """Remember every issue, and grant when fewer than `limit` lie within the window."""
    granted: list[int] = []
    at = 1_790_000_000
    for gap in gaps:
        at += gap
        if sum(1 for past in granted if at - past < window) < limit:
            granted.append(at)
    return granted


gaps_and_lengths = st.integers(1, 50).flatmap(
    lambda length: st.tuples(st.lists(st.integers(0, 2 * length + 1), max_size=60), st.just(length))
)


@given(gaps_and_lengths)
def test_a_cooldown_is_exact_to_the_second_at_any_offset(drawn: tuple[list[int], int]) -> None:
    gaps, length = drawn
    guardrails = Guardrails(cooldown=timedelta(seconds=length))
    assert replay(claimed, guardrails, gaps) == model(1, length, gaps)


@given(gaps_and_lengths, st.integers(0, 5))
def test_a_limit_over_any_window_is_exact_to_the_second(drawn: tuple[list[int], int], limit: int) -> None:
    gaps, length = drawn
    guardrails = Guardrails(per_user_limit=limit, per_user_window=timedelta(seconds=length))
    assert replay(claimed, guardrails, gaps) == model(limit, length, gaps)


@given(
    st.integers(1, 50).flatmap(
        lambda length: st.tuples(st.lists(st.integers(-4 * length, 4 * length), max_size=60), st.just(length))
    ),
    st.integers(1, 5),
)
def test_no_window_exceeds_the_limit_when_the_clock_jumps(drawn: tuple[list[int], int], limit: int) -> None:
    gaps, length = drawn
    rails = Guardrails(per_user_limit=limit, per_user_window=timedelta(seconds=length))
    granted = replay(claimed, rails, gaps)
    assert max(Counter(at for at in granted).values(), default=0) <= limit
    assert all(sum(0 <= other - at < length for other in granted) <= limit for at in granted)


def test_the_cooldown_check_would_catch_counters_by_fixed_pieces_of_time() -> None:
    def fixed(guardrails: Guardrails, now: datetime) -> list[CounterReservation]:
        assert guardrails.cooldown is not None
        piece = int(now.timestamp()) // int(guardrails.cooldown.total_seconds())
        return [CounterReservation("ann", CounterKey(f"ten|{piece}"), 1, 1, "cooldown")]

    guardrails = Guardrails(cooldown=timedelta(seconds=10))
    assert replay(fixed, guardrails, [5, 7]) != model(1, 10, [5, 7])


def test_a_cooldown_given_back_may_be_used_again(now: datetime) -> None:
    guardrails = Guardrails(cooldown=timedelta(days=30))
    used: Counter[ScopedKey] = Counter()
    for sign in (1, -1):
        for claim in claimed(guardrails, now):
            used[claim.scope, claim.key] += sign * claim.amount
    assert exceeded(claimed(guardrails, now + timedelta(hours=1)), used) is None


def test_a_cooldown_holds_against_a_clock_that_runs_behind(now: datetime) -> None:
    guardrails = Guardrails(cooldown=timedelta(seconds=10))
    ahead = datetime.fromtimestamp(1_790_000_000, UTC)
    used = {(claim.scope, claim.key): claim.amount for claim in claimed(guardrails, ahead)}
    assert exceeded(claimed(guardrails, ahead - timedelta(seconds=1)), used) is not None
