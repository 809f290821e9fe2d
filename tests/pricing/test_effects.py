"""Each action type by itself, in `cases/effects.yaml`, and what keeps amounts right where units are odd."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from adapter.pricing import (
    EFFECTS,
    InvalidAction,
    InvalidRefund,
    Order,
    Pricing,
    Redeemed,
    ReturnedLine,
    price,
    read_order,
    read_terms,
    redeemed,
    roll_back,
    roll_back_amount,
)
from tests.pricing.book import compile_test

FILE = Path(__file__).parent / "cases" / "effects.yaml"
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def order_of(case: dict[str, Any]) -> Order:
    lines = [{"id": name, "sku": name, "quantity": row[0], "unit_price": row[1]} | (row[2:] or [{}])[0]
             for name, row in case["lines"].items()]  # fmt: skip
    shipping = [{"id": name, "price": row[0]} | (row[1:] or [{}])[0]
                for name, row in case.get("shipping", {}).items()]  # fmt: skip
    return read_order({"currency": "EUR", "lines": lines, "shipping": shipping})


def priced(case: dict[str, Any]) -> Pricing:
    balances = {code: Decimal(str(left)) for code, left in case.get("balances", {}).items()}
    terms = [read_terms(code, action, compile_test) for code, action in case["codes"].items()]
    return price(order_of(case), [replace(one, balance=balances.get(one.code)) for one in terms])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_effect_takes_what_the_case_says(case: dict[str, Any]) -> None:
    document = priced(case).document()
    applied = {one["code"]: one for one in document["codes"] if one["status"] == "applied"}
    takes = {code: {line: f"{amount:.2f}" for line, amount in lines.items()}
             for code, lines in case.get("takes", {}).items()}  # fmt: skip
    assert {code: one["lines"] for code, one in applied.items()} == takes
    nothing = {one["code"]: [one["reason"], *([one["missing"]] if "missing" in one else [])]
               for one in document["codes"] if one["status"] != "applied"}  # fmt: skip
    expected = {code: [reason, *({name: str(value) for name, value in one.items()} for one in missing)]
                for code, (reason, *missing) in case.get("nothing", {}).items()}  # fmt: skip
    assert nothing == expected
    assert {code: one["units"] for code, one in applied.items() if "units" in one} == case.get("units", {})
    assert document["suggested_items"] == case.get("suggested", [])
    assert document["totals"]["due"] == case.get("due", document["totals"]["due"])


def test_every_action_type_has_a_case() -> None:
    assert {action["type"] for case in CASES for action in case["codes"].values()} == set(EFFECTS)


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({"type": "percent_off"}, "action.type"),
        ({"type": "percentage_off"}, "action.value"),
        ({"type": "percentage_off", "value": 101}, "action.value"),
        ({"type": "percentage_off", "value": -1}, "action.value"),
        ({"type": "amount_off", "value": "ten"}, "action.value"),
        ({"type": "amount_off", "value": 1, "per": "line"}, "action.per"),
        ({"type": "amount_off", "value": 1, "applies_to": "shoes"}, "action.applies_to"),
        ({"type": "amount_off", "value": 1, "max_units": 0}, "action.max_units"),
        ({"type": "amount_off", "value": 1, "prefer": "best"}, "action.prefer"),
        ({"type": "amount_off", "value": 1, "exclude_on_sale": "yes"}, "action.exclude_on_sale"),
        ({"type": "amount_off", "value": 1, "min_basis": "items"}, "action.min_basis"),
        ({"type": "free_shipping", "regions": "EU"}, "action.regions"),
        ({"type": "fixed_price", "value": 1, "set_quantity": 1.5}, "action.set_quantity"),
        ({"type": "buy_x_get_y", "buy": {"quantity": 1}, "get": {}}, "action.get.quantity"),
        ({"type": "free_item"}, "action.sku"),
        ({"type": "unit_off", "value": 1}, "action.unit_type"),
    ],
)
def test_an_action_that_cannot_be_priced_is_refused_with_the_place(action: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidAction) as refused:
        read_terms("CODE", action, compile_test)
    assert refused.value.path == path


def test_a_spare_unit_before_a_code_for_some_lines_goes_to_the_same_line_in_any_order() -> None:
    lines = {"A": [1, "0.05", {"category": "shoes"}], "B": [1, "0.05", {"category": "hats"}]}
    codes = {
        "FIRST": {"type": "amount_off", "value": "0.01", "applies_to": {"items": "category shoes hats"}},
        "SHOES": {"type": "percentage_off", "value": 50, "applies_to": {"items": "category shoes"}},
    }
    forward = priced({"lines": lines, "codes": codes})
    backward = priced({"lines": dict(reversed(lines.items())), "codes": codes})
    assert {one.code: one.lines for one in forward.codes} == {one.code: one.lines for one in backward.codes}


def test_a_spare_unit_between_lines_of_two_tax_rates_goes_to_the_same_line_in_any_order() -> None:
    lines = {"A": [1, "1.00", {"tax_rate": 50}], "B": [1, "1.00", {"tax_rate": 0}]}
    codes = {"CENT": {"type": "amount_off", "value": "0.01"}}
    forward = priced({"lines": lines, "codes": codes})
    backward = priced({"lines": dict(reversed(lines.items())), "codes": codes})
    assert forward.totals == backward.totals


def test_spare_units_of_several_codes_on_one_unit_never_make_its_refund_negative() -> None:
    codes = {name: {"type": "amount_off", "value": "0.01"} for name in "ABC"}
    left = redeemed(priced({"lines": {"L": [3, "0.01"]}, "codes": codes}))
    refunds = []
    for _ in range(3):
        refunds.append(roll_back(left, [ReturnedLine("L", 1)]))
        left = refunds[-1].after
    assert [one.refund for one in refunds] == [0, 0, 0]
    assert [sum(one.returned.values()) for one in refunds] == [1, 1, 1]
    assert left.whole


def test_what_can_be_rolled_back_survives_being_stored() -> None:
    case = next(one for one in CASES if "units" in one)
    kept = redeemed(priced(case))
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Redeemed) == kept


@pytest.mark.parametrize(
    ("lines", "reason", "path"),
    [
        ([ReturnedLine("X", 1)], "unknown_line", "lines[0].id"),
        ([ReturnedLine("L", 1), ReturnedLine("L", 0)], "invalid_quantity", "lines[1].quantity"),
        ([ReturnedLine("L", "1.0000001")], "invalid_quantity", "lines[0].quantity"),
        ([ReturnedLine("L", "two")], "invalid_quantity", "lines[0].quantity"),
        ([ReturnedLine("L", 4)], "more_than_was_bought", "lines[0].quantity"),
        ([ReturnedLine("L", 2), ReturnedLine("L", 2)], "already_refunded", "lines[1].quantity"),
    ],
)
def test_lines_that_cannot_come_back_are_refused_with_the_place(
    lines: list[ReturnedLine], reason: str, path: str
) -> None:
    kept = redeemed(priced({"lines": {"L": [3, 1]}, "codes": {"A": {"type": "amount_off", "value": 1}}}))
    with pytest.raises(InvalidRefund) as refused:
        roll_back(kept, lines)
    assert (refused.value.reason, refused.value.path) == (reason, path)


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("0", "invalid_amount"), ("-1", "invalid_amount"), ("0.001", "invalid_amount"),
     ("1.01", "more_than_was_redeemed")],
)  # fmt: skip
def test_amounts_that_cannot_come_back_are_refused(amount: str, reason: str) -> None:
    kept = redeemed(priced({"lines": {"L": [3, 1]}, "codes": {"A": {"type": "amount_off", "value": 1}}}))
    with pytest.raises(InvalidRefund) as refused:
        roll_back_amount(kept, amount)
    assert refused.value.reason == reason


def test_tax_on_top_comes_back_with_its_units() -> None:
    kept = redeemed(priced({"lines": {"L": [3, "1.00", {"tax_rate": 7}]}, "codes": {}}))
    refunds = []
    for _ in range(3):
        refunds.append(roll_back(kept, [ReturnedLine("L", 1)]))
        kept = refunds[-1].after
    assert [(one.refund, one.tax) for one in refunds] == [(107, 7)] * 3


def test_a_returned_line_gives_its_units_back() -> None:
    ride = {"lines": {"RIDE": [12, "0.25", {"unit_type": "minutes"}]},
            "codes": {"M": {"type": "unit_off", "value": 6, "unit_type": "minutes"}}}  # fmt: skip
    refund = roll_back(redeemed(priced(ride)), [ReturnedLine("RIDE", 4)])
    assert (refund.units, refund.returned, refund.refund) == ({"M": 2_000_000}, {"M": 52}, 48)
