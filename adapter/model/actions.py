"""The action of a rule and of a discount: the benefit that it grants. Money and quantities are exact.

A member that has its default is not written, so that actions of older versions stay as they are.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

#: What a minimum is compared with: all items at their prices, all items after the codes that come earlier, or
#: the lines that the code may take from, at their prices.
MinimumBasis = Literal["items_before", "items_after_earlier", "scope_before"]
#: Defaults; a member that is one of these is not written.
WHOLE = Decimal(100)
ONE = Decimal(1)
#: Which units a limited code takes first.
Prefer = Literal["dearest", "cheapest"]


class ItemScope(Struct, frozen=True, omit_defaults=True):
    """The lines that an action applies to: those for which the condition over `item` holds."""

    items: str


class ActionMembers(Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="type"):
    """What every action may have.

    At most `max_amount` off, in `currency` (the cart's when not given), for orders worth `min_cart_value` or
    more. `min_excludes` is a condition over `item`: lines for which it holds do not count for the minimum.
    """

    max_amount: Decimal | None = None
    min_cart_value: Decimal | None = None
    currency: str | None = None
    min_basis: MinimumBasis = "items_before"
    min_excludes: str | None = None


class ItemMembers(ActionMembers, frozen=True, omit_defaults=True, kw_only=True):
    """What every action for items may have: which lines, and how many units of them, in which order."""

    applies_to: ItemScope | None = None
    exclude_on_sale: bool = False
    max_units: Decimal | None = None
    prefer: Prefer | None = None


class PercentageOff(ItemMembers, frozen=True, omit_defaults=True, tag="percentage_off"):
    """`value` per cent off."""

    value: Decimal


class AmountOff(ItemMembers, frozen=True, omit_defaults=True, tag="amount_off"):
    """`value` off the order, or off each unit."""

    value: Decimal
    per: Literal["order", "unit"] = "order"


class FreeShipping(ActionMembers, frozen=True, omit_defaults=True, tag="free_shipping"):
    """Shipping free for these service levels and regions; all where the lists are empty."""

    service_levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class StoreCredit(ActionMembers, frozen=True, omit_defaults=True, tag="store_credit"):
    """`value` to spend until `expires_at`; once some was spent, `left` says what remains."""

    value: Decimal
    expires_at: datetime | None = None
    left: Decimal | None = None

    @property
    def remaining(self) -> Decimal:
        """What is left to spend."""
        return self.value if self.left is None else self.left


class Use(Struct, frozen=True, omit_defaults=True):
    """Units that were redeemed, when, for which order (a ride, say), and in which redemption."""

    units: Decimal
    at: datetime
    order_id: str | None = None
    redemption: str | None = None


class UnitOff(ItemMembers, frozen=True, omit_defaults=True, tag="unit_off"):
    """`value` units free, of `unit_type` (minutes, unlocks).

    Once some are redeemed `uses` says which, the oldest first, and `left` how many remain: always `value`
    less what was used.
    """

    value: Decimal
    unit_type: str
    left: Decimal | None = None
    uses: tuple[Use, ...] = ()

    @property
    def remaining(self) -> Decimal:
        """How many units are left to redeem."""
        return self.value if self.left is None else self.left


class FixedPrice(ItemMembers, frozen=True, omit_defaults=True, tag="fixed_price"):
    """Each unit, or each full set of `set_quantity` units, costs `value` instead of its price."""

    value: Decimal
    set_quantity: int | None = None


class CheapestItem(ItemMembers, frozen=True, omit_defaults=True, tag="cheapest_item"):
    """`percent` off one unit of the cheapest item."""

    percent: Decimal = WHOLE


class FreeUnits(ItemMembers, frozen=True, omit_defaults=True, tag="free_units"):
    """`units` units that are in the order cost nothing."""

    units: Decimal


class Bought(Struct, frozen=True, omit_defaults=True):
    """The units that must be bought for a reward; of all items where `applies_to` is not given."""

    quantity: int
    applies_to: ItemScope | None = None


class Reward(Struct, frozen=True, omit_defaults=True):
    """The units that become cheaper, by `percent`; of the bought items where `applies_to` is not given."""

    quantity: int
    applies_to: ItemScope | None = None
    percent: Decimal = WHOLE


class BuyXGetY(ItemMembers, frozen=True, omit_defaults=True, tag="buy_x_get_y"):
    """For each `buy` in the order its `get` is free or cheaper."""

    buy: Bought
    get: Reward


class FreeItem(ActionMembers, frozen=True, omit_defaults=True, tag="free_item"):
    """`quantity` units of one item cost nothing, where it is in the order; else it is suggested."""

    sku: str | None = None
    product_id: str | None = None
    quantity: Decimal = ONE


class ShippingPercentage(ActionMembers, frozen=True, omit_defaults=True, tag="shipping_percentage"):
    """`value` per cent off shipping, for these service levels and regions; all where the lists are empty."""

    value: Decimal
    service_levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class ShippingAmount(ActionMembers, frozen=True, omit_defaults=True, tag="shipping_amount"):
    """`value` off shipping, for these service levels and regions; all where the lists are empty."""

    value: Decimal
    service_levels: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


Action = (
    PercentageOff
    | AmountOff
    | FreeShipping
    | StoreCredit
    | UnitOff
    | FixedPrice
    | CheapestItem
    | BuyXGetY
    | FreeUnits
    | FreeItem
    | ShippingPercentage
    | ShippingAmount
)
