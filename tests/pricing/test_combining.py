"""Codes that may not be used together: refused, or the best allowed set is found."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapter.model.codes import folded
from adapter.pricing import (
    EXACT_CODES,
    CodeResult,
    Mode,
    Order,
    Pricing,
    Refusal,
    Terms,
    conflict,
    price,
    read_order,
    read_terms,
)
from tests.pricing.book import compile_test
from tests.pricing.made import priced
from tests.pricing.test_properties import amounts, assert_adds_up

Made = tuple[Order, list[Terms]]
ORDER = read_order({"currency": "EUR", "lines": [{"id": "L1", "quantity": 1, "unit_price": "100.00"}]})


def code(name: str, value: int, kind: str = "percentage_off", **more: Any) -> Terms:
    return replace(read_terms(name, {"type": kind, "value": value}, compile_test), **more)


def reasons(pricing: Pricing) -> dict[str, str]:
    return {one.code: one.refusal.reason for one in pricing.codes if one.refusal is not None}


def taken(pricing: Pricing) -> dict[str, int]:
    return {one.code: one.amount for one in pricing.codes if one.amount}


def test_codes_that_do_not_stack_are_refused_and_name_each_other() -> None:
    pricing = price(ORDER, [code("A", 10), code("B", 20, stackable=False)])
    assert reasons(pricing) == {"A": "not_combinable", "B": "not_combinable"}
    assert {one.code: one.refusal.other for one in pricing.codes if one.refusal} == {"A": "B", "B": "A"}
    assert pricing.refusal is not None
    assert pricing.totals.discount == 0


def test_two_codes_of_a_stacking_group_are_refused_and_the_others_are_priced() -> None:
    grouped = [code(name, 10, stacking_group="spring") for name in "AB"]
    pricing = price(ORDER, [*grouped, code("C", 5), code("D", 5, stacking_group="autumn")])
    assert reasons(pricing) == {"A": "not_combinable", "B": "not_combinable"}
    assert taken(pricing) == {"C": 500, "D": 475}


def test_best_takes_the_set_that_saves_most() -> None:
    terms = [code("A", 25, exclusive=True), code("B", 15), code("C", 10), code("D", 12, stackable=False)]
    pricing = price(ORDER, terms, mode="best")
    assert taken(pricing) == {"A": 2500}
    assert reasons(pricing) == dict.fromkeys("BCD", "not_combinable")


def test_best_leaves_out_a_code_that_keeps_a_better_one_from_its_minimum() -> None:
    action = {"type": "amount_off", "value": 30, "min_cart_value": 100, "min_basis": "items_after_earlier"}
    terms = [read_terms("LATE", action, compile_test), code("EARLY", 10)]
    assert taken(price(ORDER, terms)) == {"EARLY": 1000}
    pricing = price(ORDER, terms, mode="best")
    assert taken(pricing) == {"LATE": 3000}
    assert reasons(pricing) == {"EARLY": "not_needed"}


def test_of_sets_that_save_the_same_best_takes_fewer_codes_then_the_first_by_folded_code() -> None:
    terms = [code("b", 10, exclusive=True), code("A", 10, exclusive=True), code("C", 10, "amount_off")]
    assert taken(price(ORDER, terms, mode="best")) == {"A": 1000}


def test_best_prefers_a_discount_to_credit_that_is_kept_for_later() -> None:
    terms = [code("CREDIT", 50, "store_credit", exclusive=True), code("TEN", 10)]
    assert taken(price(ORDER, terms, mode="best")) == {"TEN": 1000}
    stacked = [replace(one, exclusive=False) for one in terms]
    assert taken(price(ORDER, stacked, mode="best")) == {"TEN": 1000, "CREDIT": 5000}


def test_the_best_exclusive_code_wins_where_it_goes_first() -> None:
    terms = [code("A", 10, exclusive=True), code("B", 20, exclusive=True), code("C", 50)]
    pricing = price(ORDER, terms, mode="exclusive_first")
    assert taken(pricing) == {"B": 2000}
    assert reasons(pricing) == {"A": "not_combinable", "C": "not_combinable"}


def test_an_exclusive_code_without_an_effect_excludes_no_other() -> None:
    nothing = replace(code("A", 10, "shipping_percentage"), exclusive=True)
    pricing = price(ORDER, [nothing, code("C", 50)], mode="exclusive_first")
    assert taken(pricing) == {"C": 5000}
    assert reasons(pricing) == {"A": "no_effect"}


def test_codes_of_a_class_are_applied_by_priority_then_by_folded_code() -> None:
    assert taken(price(ORDER, [code("B", 50), code("a", 50)])) == {"a": 5000, "B": 2500}
    assert taken(price(ORDER, [code("B", 50, priority=1), code("a", 50)])) == {"B": 5000, "a": 2500}


def test_codes_that_were_refused_before_are_reported_and_refuse_the_redemption() -> None:
    expired = CodeResult(code="OLD", refusal=Refusal("rejected", "expired", "the code has expired"))
    pricing = price(ORDER, [code("A", 10)], refused=[expired])
    assert taken(pricing) == {"A": 1000}
    assert pricing.refusal == ("OLD", expired.refusal)


def test_a_redemption_is_refused_only_where_no_code_has_an_effect() -> None:
    idle = code("IDLE", 10, "shipping_percentage")
    assert price(ORDER, [idle, code("A", 10)]).refusal is None
    refusal = price(ORDER, [idle]).refusal
    assert refusal is not None
    assert (refusal[0], refusal[1].reason) == ("IDLE", "no_effect")


def test_the_same_code_twice_is_refused_in_whatever_spelling() -> None:
    pricing = price(ORDER, [code("TEN-OFF", 10), code("ten off", 10)])
    assert list(reasons(pricing).values()) == ["duplicate_code"]
    assert pricing.refusal is not None
    same = code("X", 10)
    assert list(reasons(price(ORDER, [same, same])).values()) == ["duplicate_code"]


@pytest.mark.slow
@settings(max_examples=100)
@given(priced(combine=True))
def test_best_is_as_good_as_trying_every_allowed_set(made: Made) -> None:
    order, terms = made
    pricing = price(order, terms, mode="best")
    assert_adds_up(pricing)
    best = min(map(rank, (price(order, chosen) for chosen in allowed(terms))))
    assert rank(pricing) == best


def allowed(terms: list[Terms]) -> list[list[Terms]]:
    sets = chain.from_iterable(combinations(terms, count) for count in range(len(terms) + 1))
    return [list(one) for one in sets if not any(conflict(*pair) for pair in combinations(one, 2))]


def rank(pricing: Pricing) -> tuple[int, int, int, list[str]]:
    codes = sorted(folded(name) for name in taken(pricing))
    return -pricing.totals.discount, -pricing.totals.credit, len(codes), codes


@pytest.mark.slow
@given(priced(combine=True), st.sampled_from(["reject", "best", "exclusive_first"]), st.randoms())
def test_which_codes_are_used_does_not_depend_on_their_order(made: Made, mode: Mode, random: Any) -> None:
    order, terms = made
    shuffled = terms.copy()
    random.shuffle(shuffled)
    assert amounts(price(order, shuffled, mode=mode)) == amounts(price(order, terms, mode=mode))


def test_more_codes_than_are_compared_exactly_are_searched_with_bounded_work() -> None:
    worth = [3 + at % 7 for at in range(30)]
    terms = [code(f"C{at}", value, stacking_group=f"g{at // 3}") for at, value in enumerate(worth)]
    assert len(terms) > EXACT_CODES
    pricing = price(ORDER, terms, mode="best")
    best = [max(worth[at : at + 3]) for at in range(0, 30, 3)]
    left = Decimal(1)
    for value in best:
        left *= 1 - Decimal(value) / 100
    assert abs(pricing.totals.due - 10_000 * left) < 10
