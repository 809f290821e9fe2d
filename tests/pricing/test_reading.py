"""An order out of a document: exact, and each fault with its path and code."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.pricing import MOST_LINES, InvalidOrder, read_order, total_problem

LINE = {"id": "L1", "quantity": 1, "unit_price": "10.00"}


def problems(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidOrder) as refused:
        read_order(document)
    return [(one.path, one.code) for one in refused.value.problems]


def order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"currency": "EUR", "lines": [LINE | line for line in lines or ({},)]} | more


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        ([], "", "invalid_type"),
        (order(currency="EURO"), "currency", "invalid_currency"),
        (order(currency=978), "currency", "invalid_currency"),
        (order(lines={}), "lines", "invalid_type"),
        (order(lines=[]), "lines", "no_lines"),
        ({"currency": "EUR"}, "lines", "invalid_type"),
        (order(lines=["L1"]), "lines[0]", "invalid_type"),
        (order({}, {"id": "L2", "quantity": 0}), "lines[1].quantity", "invalid_quantity"),
        (order({"quantity": -1}), "lines[0].quantity", "invalid_quantity"),
        (order({"quantity": "0.0000001"}), "lines[0].quantity", "invalid_quantity"),
        (order({"quantity": True}), "lines[0].quantity", "invalid_type"),
        (order({"unit_price": "12.345"}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": 1234.5}, currency="JPY"), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": "-5.00"}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": "12,50"}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": "1e3"}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": float("nan")}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": None}), "lines[0].unit_price", "invalid_price"),
        (order({"unit_price": [1]}), "lines[0].unit_price", "invalid_type"),
        (order({"category": 1.5}), "lines[0].category", "invalid_type"),
        (order({"on_sale": "yes"}), "lines[0].on_sale", "invalid_type"),
        (order({"tax_rate": -1}), "lines[0].tax_rate", "invalid_tax_rate"),
        (order({"attributes": []}), "lines[0].attributes", "invalid_type"),
        (order({}, {}), "lines[1].id", "duplicate_id"),
        (order(shipping=[{"id": "L1", "price": 1}]), "shipping[0].id", "duplicate_id"),
        (order(shipping=[{"id": "S1"}]), "shipping[0].price", "invalid_price"),
        (order(shipping=[{"id": "S1", "price": 1, "region": {}}]), "shipping[0].region", "invalid_type"),
        (order(total="10.005"), "total", "invalid_total"),
        (order(prices_include_tax=1), "prices_include_tax", "invalid_type"),
        (order(*[{"id": str(at)} for at in range(MOST_LINES + 1)]), "lines", "too_many_lines"),
        (order({"quantity": 10**11, "unit_price": 10**9}), "lines", "order_too_large"),
    ],
)
def test_a_fault_has_its_path_and_a_stable_code(document: Any, path: str, code: str) -> None:
    assert problems(document) == [(path, code)]


def test_every_fault_is_found_at_once() -> None:
    lines = [{"id": "A", "quantity": 0}, {"id": "B", "quantity": 1, "unit_price": "x"}]
    found = problems({"currency": "EUR", "lines": lines, "shipping": [{"price": -1}]})
    assert [path for path, _ in found] == [
        "lines[0].quantity", "lines[0].unit_price", "lines[1].unit_price", "shipping[0].price",
    ]  # fmt: skip


@pytest.mark.parametrize("price", ["12.50", "12.5", 12.5, Decimal("12.5"), "12.500"])
def test_an_amount_is_a_number_or_text(price: Any) -> None:
    assert read_order(order({"unit_price": price})).lines[0].unit_price == 1250


def test_a_line_total_is_rounded_half_up_once() -> None:
    read = read_order(order({"quantity": "2.25", "unit_price": "64.22"}, {"id": "B", "quantity": 0.5}))
    assert [line.total for line in read.lines] == [14450, 500]


def test_unknown_members_are_attributes_and_conditions_see_them_beside_the_known_ones() -> None:
    line = {"color": "red", "attributes": {"size": 42}, "sku": "S", "quantity": "0.5"}
    [read] = read_order(order(line)).lines
    assert read.attributes == {"size": 42, "color": "red"}
    assert read.item("EUR") == {
        "id": "L1", "sku": "S", "size": 42, "color": "red", "on_sale": False, "quantity": Decimal("0.5"),
        "unit_price": Decimal("10.00"),
    }  # fmt: skip


def test_lines_without_an_id_are_called_by_their_place() -> None:
    lines = [{"unit_price": 1}, {"unit_price": 2, "id": 7}]
    read = read_order({"currency": "eur", "lines": lines, "shipping": [{"price": 1}]})
    assert [line.id for line in read.lines] + [one.id for one in read.shipping] == [
        "line-1",
        "7",
        "shipping-1",
    ]
    assert read.currency == "EUR"


@pytest.mark.parametrize(
    ("total", "included", "right"),
    [("16.90", False, True), ("15.00", True, True), ("15.00", False, False), ("16.91", False, False)],
)
def test_a_stated_total_is_compared_with_the_lines(total: str, included: bool, right: bool) -> None:
    document = order({"tax_rate": 19}, shipping=[{"price": 5}], total=total, prices_include_tax=included)
    problem = total_problem(read_order(document))
    assert (problem is None) == right
    assert problem is None or (problem.path, problem.code) == ("total", "total_mismatch")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(
                        st.sampled_from(["currency", "lines", "quantity", "unit_price", "shipping", "price"]),
                        inner)))  # fmt: skip
def test_any_document_is_read_or_refused(document: Any) -> None:
    with suppress(InvalidOrder):
        assert read_order(document).lines
