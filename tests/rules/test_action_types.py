"""Every type of action has one record, and each record says what its action is."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest

from adapter.model.actions import (
    Action,
    ActionMembers,
    AmountOff,
    FreeShipping,
    PercentageOff,
    StoreCredit,
    UnitOff,
)
from adapter.rules.action_types.contract import Cart
from adapter.rules.action_types.members import FOR_ITEMS, OTHER_NAMES
from adapter.rules.action_types.registry import ACTION_TYPES, BY_NAME
from adapter.rules.guardrails import valuation


def test_every_action_of_the_model_has_exactly_one_type() -> None:
    assert [each.kind for each in ACTION_TYPES] == list(get_args(Action))
    assert len(BY_NAME) == len(ACTION_TYPES)


def test_a_type_names_its_keys_as_its_action_does() -> None:
    for each in ACTION_TYPES:
        fields = set(each.kind.__struct_fields__)
        assert set(each.keys) - {"max_value", "currencies"} <= fields, each.name
        assert set(ActionMembers.__struct_fields__) <= set(each.keys), each.name
        assert set(each.required) <= set(each.keys), each.name
        assert {*each.other_names.values(), *OTHER_NAMES.values()} <= {*each.keys, *FOR_ITEMS}, each.name
        assert set(each.money) <= set(each.keys), each.name


@pytest.mark.parametrize(
    ("action", "cart", "worth", "most"),
    [
        (PercentageOff(Decimal(15)), Cart(Decimal(100)), "15", None),
        (PercentageOff(Decimal(15), max_amount=Decimal(10)), Cart(Decimal(100)), "10", "10"),
        (PercentageOff(Decimal(15), max_amount=Decimal(10)), Cart(), "10", "10"),
        (PercentageOff(Decimal(15)), Cart(), "0", None),
        (AmountOff(Decimal(15)), Cart(Decimal(10)), "10", "15"),
        (AmountOff(Decimal(15), min_cart_value=Decimal(60)), Cart(Decimal("59.99")), "0", "15"),
        (AmountOff(Decimal(15), min_cart_value=Decimal(60)), Cart(Decimal(60)), "15", "15"),
        (AmountOff(Decimal(5), "unit"), Cart(Decimal(100)), "5", None),
        (AmountOff(Decimal(5), "unit", max_units=Decimal(3)), Cart(Decimal(100)), "5", "15"),
        (AmountOff(Decimal(5), max_amount=Decimal(3)), Cart(Decimal(100)), "3", "3"),
        (FreeShipping(), Cart(Decimal(60), Decimal("4.90")), "4.90", None),
        (FreeShipping(max_amount=Decimal(4)), Cart(Decimal(60), Decimal("4.90")), "4", "4"),
        (FreeShipping(min_cart_value=Decimal(61)), Cart(Decimal(60), Decimal("4.90")), "0", None),
        (FreeShipping(), Cart(Decimal(60)), "0", None),
        (StoreCredit(Decimal(20)), Cart(Decimal(10)), "20", "20"),
        (UnitOff(Decimal(20), "minutes"), Cart(Decimal(10)), "0", None),
    ],
)
def test_an_action_is_worth_what_it_takes_off_the_cart_and_costs_at_most_its_bound(
    action: Action, cart: Cart, worth: str, most: str | None
) -> None:
    assert valuation.worth(action, cart.value, cart.shipping) == Decimal(worth)
    assert valuation.most(action) == (None if most is None else Decimal(most))
