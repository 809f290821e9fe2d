"""What the action of a discount is at Voucherify.

A discount whose benefit Voucherify cannot express is not sent: a code that grants more there than here costs
money. Amounts at Voucherify are the amount times 100 whatever the currency (its API reference, `amount_off`:
"multiplied by 100 to precisely represent 2 decimal places"), so that 500 yen are 50000.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapter.model.actions import (
    Action,
    ActionMembers,
    AmountOff,
    FixedPrice,
    FreeItem,
    FreeShipping,
    ItemMembers,
    PercentageOff,
    StoreCredit,
    UnitOff,
)

#: The product of shipping in the setting `products`.
SHIPPING: Final = "shipping"
Products = Mapping[str, str]


class Inexpressible(ValueError):
    """The benefit cannot be expressed at Voucherify; the message is a sentence for the operator."""


def hundredths(amount: Decimal) -> int:
    """Return an amount times 100; raises Inexpressible where that is not a whole number, never rounds."""
    scaled = amount.scaleb(2)
    if scaled != scaled.to_integral_value():
        raise Inexpressible(
            f"the amount {amount:f} has more than two decimals, which Voucherify does not take"
        )
    return int(scaled)


def benefit(action: Action, products: Products) -> dict[str, Any]:
    """Return the members `type` and `discount` or `gift` of a new stand-alone voucher.

    `products` are ids at Voucherify by unit type, SKU or product id, and by `shipping`. Raises Inexpressible.
    """
    if isinstance(action, StoreCredit):
        _no_minimum(action)
        return {"type": "GIFT_VOUCHER", "gift": {"amount": hundredths(action.remaining)}}
    discount = _DISCOUNTS.get(type(action))
    if discount is None:
        raise Inexpressible(f"Voucherify has no discount like `{_name(action)}`")
    _no_minimum(action)
    if isinstance(action, ItemMembers):
        _all_items(action)
    return {"type": "DISCOUNT_VOUCHER", "discount": discount(action, products)}


def benefits(actions: Sequence[Action], products: Products) -> dict[str, Any]:
    """Return as `benefit` does for a code with these benefits; several only where all are units.

    Source: Voucherify's API reference, Discount object: `units` with the effect `ADD_MANY_ITEMS`.
    """
    if len(actions) == 1:
        return benefit(actions[0], products)
    if not all(isinstance(each, UnitOff | FreeItem | FreeShipping) for each in actions):
        raise Inexpressible("Voucherify has one benefit for a code, or several products for free")
    units = [dict(benefit(each, products)["discount"]) for each in actions]
    for each in units:
        del each["type"]
    discount = {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": units}
    return {"type": "DISCOUNT_VOUCHER", "discount": discount}


def _percentage_off(action: PercentageOff, _products: Products) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "PERCENT",
        "percent_off": _number(action.value),
        "effect": "APPLY_TO_ORDER",
    }
    if action.max_amount is not None:
        found["amount_limit"] = hundredths(action.max_amount)
    return found


def _amount_off(action: AmountOff, _products: Products) -> dict[str, Any]:
    if action.per == "unit":
        found: dict[str, Any] = {
            "type": "AMOUNT",
            "amount_off": hundredths(action.value),
            "effect": "APPLY_TO_ITEMS_BY_QUANTITY",
        }
        if action.max_amount is not None:
            found["aggregated_amount_limit"] = hundredths(action.max_amount)
        return found
    value = action.value if action.max_amount is None else min(action.value, action.max_amount)
    return {"type": "AMOUNT", "amount_off": hundredths(value), "effect": "APPLY_TO_ORDER"}


def _fixed_price(action: FixedPrice, _products: Products) -> dict[str, Any]:
    if action.set_quantity is not None or action.max_amount is not None:
        raise Inexpressible("Voucherify has no fixed price for sets, nor one with a maximum")
    return {"type": "FIXED", "fixed_amount": hundredths(action.value), "effect": "APPLY_TO_ITEMS"}


def _free_shipping(action: FreeShipping, products: Products) -> dict[str, Any]:
    if action.service_levels or action.regions or action.max_amount is not None:
        raise Inexpressible("Voucherify cannot limit free shipping to service levels, regions or an amount")
    return _units(Decimal(1), SHIPPING, products)


def _free_item(action: FreeItem, products: Products) -> dict[str, Any]:
    if action.max_amount is not None:
        raise Inexpressible("Voucherify cannot limit the amount of a free item")
    return _units(action.quantity, action.sku or action.product_id or "", products)


def _unit_off(action: UnitOff, products: Products) -> dict[str, Any]:
    if action.max_amount is not None:
        raise Inexpressible("Voucherify cannot limit the amount of free units")
    return _units(action.remaining, action.unit_type, products)


_DISCOUNTS: Final[dict[type, Callable[[Any, Products], dict[str, Any]]]] = {
    PercentageOff: _percentage_off,
    AmountOff: _amount_off,
    FixedPrice: _fixed_price,
    FreeShipping: _free_shipping,
    FreeItem: _free_item,
    UnitOff: _unit_off,
}


def _units(count: Decimal, name: str, products: Products) -> dict[str, Any]:
    """Return a discount of units of a product; the product is added to the order where it is missing."""
    product = products.get(name)
    if product is None:
        raise Inexpressible(f"the setting `products` names no product at Voucherify for `{name}`")
    if count != count.to_integral_value():
        raise Inexpressible(f"Voucherify takes whole units, not {count:f}")
    return {"type": "UNIT", "unit_off": int(count), "unit_type": product, "effect": "ADD_MISSING_ITEMS"}


def _no_minimum(action: ActionMembers) -> None:
    if action.min_cart_value is not None:
        raise Inexpressible(
            "`min_cart_value` needs a validation rule at Voucherify, which belongs to a campaign"
        )


def _all_items(action: ItemMembers) -> None:
    limits = {
        "applies_to": action.applies_to,
        "exclude_on_sale": action.exclude_on_sale,
        "max_units": action.max_units,
        "prefer": action.prefer,
    }
    for name, value in limits.items():
        if value:
            raise Inexpressible(f"Voucherify cannot express `{name}` of a stand-alone code")


def _number(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value


def _name(action: Action) -> str:
    return str(type(action).__struct_config__.tag)
