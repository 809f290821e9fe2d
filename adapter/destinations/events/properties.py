"""What happened, as flat properties; names are those of Segment's e-commerce specification where it has one.

Source: segment-docs, `connections/spec/ecommerce/v2` (Coupon Applied: `coupon_id`, `coupon_name`, `discount`,
`order_id`; `currency` as of every event with money). Amounts are exact decimals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from adapter.model.actions import (
    Action,
    AmountOff,
    FixedPrice,
    PercentageOff,
    ShippingAmount,
    ShippingPercentage,
    StoreCredit,
    UnitOff,
)
from adapter.model.deliveries import DiscountEvent, OutboxEvent
from adapter.model.discounts import Benefit
from adapter.model.times import iso_text

#: Members of a discount's metadata that are sent under another name, or as the customer's id.
_KNOWN = ("rule", "user_id")
#: Decimals of JSON keep their digits.
_event = msgspec.json.Decoder(OutboxEvent, float_hook=Decimal).decode
_discount_event = msgspec.json.Decoder(DiscountEvent).decode


class Occurrence(msgspec.Struct, frozen=True):
    """An event of the outbox: its type, when, its flat properties, and whether it is development traffic."""

    type: str
    at: datetime
    properties: dict[str, Any]
    development: bool


def read(event_type: str, body: bytes) -> Occurrence:
    """Return the event of a delivery; raises msgspec.ValidationError where the body is none."""
    if event_type.startswith("discount."):
        found = _discount_event(body)
        return Occurrence(found.type, found.timestamp, _of_discount(found), found.environment is not None)
    other = _event(body)
    properties = dict(_of_booking(other.data))
    return Occurrence(other.type, other.timestamp, properties, other.environment is not msgspec.UNSET)


def _of_discount(event: DiscountEvent) -> dict[str, Any]:
    discount = event.data
    found = {
        "coupon_id": discount.code,
        "coupon_name": discount.metadata.get("rule"),
        "discount_type": type(discount.action).__struct_config__.tag,
        **_benefit(discount.action),
        **_more_benefits(discount.benefits[1:]),
        "currency": discount.action.currency or event.currency,
        "order_id": event.order_id,
        "status": discount.status,
        "stackable": discount.stackable,
        "expires_at": None if discount.expires_at is None else iso_text(discount.expires_at),
    }
    known = {name: value for name, value in found.items() if value is not None}
    return known | {name: value for name, value in _flat(discount.metadata) if name not in known}


def _more_benefits(benefits: Sequence[Benefit]) -> dict[str, Any]:
    """Return the properties of each benefit after the first, such as `units_2`, with its status."""
    found: dict[str, Any] = {}
    for at, benefit in enumerate(benefits, 2):
        kind = {"discount_type": type(benefit.action).__struct_config__.tag, "status": benefit.status}
        for name, value in {**kind, **_benefit(benefit.action), "currency": benefit.action.currency}.items():
            found[f"{name}_{at}"] = value
    return found


def _benefit(action: Action) -> dict[str, Any]:
    """Return what a discount is worth: `discount` only where that is an amount of money."""
    limits = {"discount_max": action.max_amount, "order_minimum": action.min_cart_value}
    match action:
        case PercentageOff() | ShippingPercentage():
            return {"discount_percent": action.value, **limits}
        case AmountOff() | ShippingAmount():
            return {"discount": action.value, **limits}
        case StoreCredit():
            return {"discount": action.value, "discount_left": action.remaining, **limits}
        case UnitOff():
            units = {"units": action.value, "units_left": action.remaining, "unit_type": action.unit_type}
            return {**units, **limits}
        case FixedPrice():
            return {"fixed_price": action.value, **limits}
        case _:
            return limits


def _of_booking(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the properties of a redemption, a hold or a rollback."""
    rollback = "redemption" in data
    amounts = _returned(data) if rollback else _redeemed(data)
    yield "redemption_id", data["redemption" if rollback else "id"]
    if rollback:
        yield "rollback_id", data["id"]
    for name in ("order_id", "currency", "state", "reason"):
        if data.get(name) is not None:
            yield name, data[name]
    if len(amounts) == 1:
        yield "coupon_id", next(iter(amounts))
    yield "coupon_ids", list(amounts)
    rules = [use["rule"] for use in data.get("redeemed", ()) if use.get("rule")]
    if len(rules) == len(amounts) == 1:
        yield "coupon_name", rules[0]
    if amounts and None not in amounts.values():
        yield "discount", sum(filter(None, amounts.values()), Decimal(0))
    if rollback:
        yield "refund", Decimal(data["refund"])


def _redeemed(data: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """Return the codes of a redemption, each with its amount where that is known."""
    return {use["code"]: _decimal(use.get("amount")) for use in data.get("redeemed", ())}


def _returned(data: Mapping[str, Any]) -> dict[str, Decimal | None]:
    return {code: _decimal(amount) for code, amount in data.get("returned", {}).items()}


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _flat(metadata: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the members of a discount's metadata, nested ones as `outer_inner`."""
    for name, value in metadata.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}_")
        elif value is not None and (prefix or name not in _KNOWN):
            yield f"{prefix}{name}", value
