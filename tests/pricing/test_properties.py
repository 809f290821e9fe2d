"""What holds for every order and every set of codes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.money import digits
from adapter.pricing import (
    Budget,
    Order,
    Pricing,
    Redeemed,
    ReturnedLine,
    Terms,
    price,
    roll_back,
    roll_back_amount,
)
from adapter.pricing import redeemed as redeemed_of
from tests.pricing.made import priced

pytestmark = pytest.mark.slow

Made = tuple[Order, list[Terms]]


@settings(max_examples=200)
@given(priced())
def test_what_codes_take_adds_up_and_never_exceeds_what_they_take_it_from(made: Made) -> None:
    pricing = price(*made)
    assert_adds_up(pricing)


def assert_adds_up(pricing: Pricing) -> None:
    totals = pricing.totals
    for one in pricing.codes:
        assert sum(one.lines.values()) == one.amount
        assert all(amount > 0 for amount in one.lines.values())
        assert (one.amount == 0) == (one.refusal is not None)
    for line in pricing.lines:
        taken = {one.is_credit: 0 for one in pricing.codes} | {True: 0, False: 0}
        for one in pricing.codes:
            taken[one.is_credit] += one.lines.get(line.id, 0)
        assert (taken[False], taken[True]) == (line.discount, line.credit)
        assert line.after == line.before - line.discount - line.credit >= 0
    assert sum(one.amount for one in pricing.codes if not one.is_credit) == totals.discount
    assert sum(one.amount for one in pricing.codes if one.is_credit) == totals.credit
    assert totals.items_after + totals.shipping_after + totals.discount == totals.items + totals.shipping
    assert 0 <= totals.due <= totals.due_before


@settings(max_examples=200)
@given(priced(), st.randoms(use_true_random=False))
def test_the_order_of_codes_and_lines_changes_no_total_and_no_amount_of_a_code(
    made: Made, random: Any
) -> None:
    order, terms = made
    lines, shipping, codes = list(order.lines), list(order.shipping), terms.copy()
    for items in (lines, shipping, codes):
        random.shuffle(items)
    one, other = (
        price(order, terms),
        price(replace(order, lines=tuple(lines), shipping=tuple(shipping)), codes),
    )
    assert other.totals == one.totals
    assert amounts(other) == amounts(one)


def amounts(pricing: Pricing) -> dict[str, Any]:
    """Return what each code takes, and why another takes nothing."""
    return {one.code: (one.amount, one.refusal, one.suggested) for one in pricing.codes}


@given(priced())
def test_the_amounts_are_written_with_the_digits_of_the_currency(made: Made) -> None:
    document = price(*made).document()
    for amount in document["totals"].values():
        assert -Decimal(amount).as_tuple().exponent == digits(made[0].currency)  # type: ignore[operator]


@settings(max_examples=150)
@given(priced(), st.data())
def test_refunds_of_any_split_add_up_to_the_whole(made: Made, data: st.DataObject) -> None:
    pricing = price(*made)
    whole = roll_back(redeemed_of(pricing))
    assert whole.refund == pricing.totals.due
    assert whole.returned == {one.code: one.amount for one in pricing.codes if one.amount}
    assert whole.whole
    left, refunds = redeemed_of(pricing), []
    while not left.whole:
        refunds.append(roll_back(left, draw_lines(left, data)))
        left = refunds[-1].after
        assert refunds[-1].refund >= 0
        assert all(amount > 0 for one in refunds[-1].lines.values() for amount in one.values())
    assert sum(one.refund for one in refunds) == whole.refund
    assert sum(one.tax for one in refunds) == whole.tax
    assert summed([one.returned for one in refunds]) == whole.returned
    assert summed([one.units for one in refunds]) == whole.units


def draw_lines(left: Redeemed, data: st.DataObject) -> list[ReturnedLine]:
    """Return some units of some lines: half of them, one, a part of one, or all that are left."""
    lines = data.draw(
        st.lists(st.sampled_from([one for one in left.lines if one.left]), min_size=1, unique_by=id)
    )
    millionths = [data.draw(st.sampled_from([one.left, 1_000_000, 500_000, 300_001])) for one in lines]
    return [
        ReturnedLine(one.id, Decimal(min(count, one.left)).scaleb(-6))
        for one, count in zip(lines, millionths, strict=True)
    ]


def summed(parts: list[Mapping[str, int]]) -> dict[str, int]:
    found = dict[str, int]()
    for part in parts:
        for code, amount in part.items():
            found[code] = found.get(code, 0) + amount
    return found


@given(priced(taxed=False), st.integers(1, 500), st.data())
def test_an_amount_that_came_back_is_not_paid_out_with_the_lines(
    made: Made, wanted: int, data: st.DataObject
) -> None:
    pricing = price(*made)
    booked = redeemed_of(pricing)
    taken = sum(booked.amounts.values())
    if not taken:
        return
    amount = Decimal(min(wanted, taken)).scaleb(-digits(pricing.currency))
    first = roll_back_amount(booked, amount)
    assert sum(first.returned.values()) == min(wanted, taken)
    if first.whole:
        assert first.returned == booked.amounts
        return
    rest = roll_back(first.after)
    assert rest.refund == pricing.totals.due
    assert summed([first.returned, rest.returned]) == booked.amounts


@given(priced(), st.integers(0, 300), st.booleans())
def test_a_budget_is_never_exceeded_by_codes_that_share_it(made: Made, left: int, partial: bool) -> None:
    order, terms = made
    budget = Budget(Decimal(left).scaleb(-digits(order.currency)), order.currency, partial)
    pricing = price(order, [replace(one, budgets=("all",)) for one in terms], budgets={"all": budget})
    assert_adds_up(pricing)
    assert sum(one.amount for one in pricing.codes) <= left
