"""Conditions over one item of an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.rules.expressions import ExpressionError
from adapter.rules.expressions.item_condition import compile_item_condition

SHOE = {
    "sku": "S-1", "category": "shoes", "on_sale": False,
    "quantity": Decimal(2), "unit_price": Decimal("19.99"), "tags": ["new", "red"],
    "size": {"eu": 42}, "gift": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('item.category == "shoes" && !item.on_sale', True),
        ('item.category != "shoes"', False),
        ('item.category in ["boots", "shoes"]', True),
        ("item.unit_price >= 19.99", True),
        ("item.unit_price > 19.99", False),
        ("item.unit_price * item.quantity == 39.98", True),
        ("item.quantity == 2", True),
        ('"red" in item.tags', True),
        ("item.tags.size() == 2", True),
        ("item.size.eu >= 40", True),
        ("has(item.size) && has(item.size.eu)", True),
        ("has(item.brand)", False),
        ("!has(item.brand)", True),
        ('item["sku"].startsWith("S-")', True),
        ("item.gift == null", True),
        ('item.brand == "x"', False),
        ('item.brand != "x"', False),
        ('!(item.brand == "x")', False),
        ('item.unit_price == "19.99"', False),
        ('item.unit_price != "19.99"', False),
        ("item.category", False),
        ("!item.category", False),
    ],
)
def test_a_condition_is_exactly_true_of_an_item_or_does_not_hold(condition: str, holds: bool) -> None:
    assert compile_item_condition(condition)(SHOE) is holds


@pytest.mark.parametrize(
    ("condition", "offset"),
    [
        ('category == "shoes"', 0),
        ("item.category == shoes", 17),
        ("item.price > cart_value", 13),
        ('user.tier == "gold"', 5),
        ("item.price > 1 && now > now", 0),
        ('history.count("x") > item.n', 0),
        ('event.name == "x" && item.x', 0),
        ("true", 0),
        ("item.price >", 12),
        ("item.tags.exists(tag)", 10),
    ],
)
def test_what_is_no_condition_over_an_item_is_refused_with_its_place_and_a_remedy(
    condition: str, offset: int
) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_item_condition(condition)
    assert refused.value.offset == offset
    assert refused.value.remedy


def test_equal_conditions_have_the_same_test_so_that_pricing_looks_at_each_item_once() -> None:
    one = compile_item_condition("item.on_sale")
    assert compile_item_condition("".join(["item", ".on_sale"])) is one


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(st.sampled_from("ab"), VALUES),
    st.sampled_from(
        ['item.a == "x"', "item.a > 1", "item.a", "item.a in [1, 2]", "item.a.b == 1", '"x" in item.a']
    ),
)
def test_a_condition_and_its_opposite_never_both_hold_and_neither_of_a_missing_member(
    item: dict[str, Any], condition: str
) -> None:
    both = compile_item_condition(condition)(item), compile_item_condition(f"!({condition})")(item)
    assert both != (True, True)
    if "a" not in item:
        assert both == (False, False)
