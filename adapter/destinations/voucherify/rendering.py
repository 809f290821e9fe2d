"""Renders a delivery to its plan; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from msgspec import UNSET, Struct

from adapter.destinations.voucherify.benefits import Inexpressible, Products, benefits, hundredths
from adapter.destinations.voucherify.plans import (
    Issue,
    LowerBalance,
    Plan,
    Post,
    Refused,
    Switch,
    discount_id,
)
from adapter.model.actions import StoreCredit
from adapter.model.deliveries import Delivery
from adapter.model.discounts import Discount
from adapter.model.forwards import (
    CUSTOMER_UPDATED,
    EVENT_OCCURRED,
    ForwardedCustomer,
    ForwardedEvent,
    read_customer_updated,
    read_event_occurred,
)

#: The longest name of a custom event.
LONGEST_EVENT: Final = 300
#: The members of an address there, which are those of ours.
_ADDRESS: Final = frozenset({"city", "state", "line_1", "line_2", "country", "postal_code"})
#: What a move does with the voucher. A redeemed one is disabled: a redemption booked at Voucherify would need
#: an order.
_SWITCHES: Final[dict[str, Literal["disable", "enable"]]] = {
    "discount.revoked": "disable",
    "discount.expired": "disable",
    "discount.redeemed": "disable",
    "discount.released": "enable",
}


class Rendering(Struct, frozen=True):
    """The settings that decide what is sent: `campaigns` by rule, with `campaign` for all other rules."""

    campaign: str = ""
    campaigns: Mapping[str, str] = {}
    products: Products = {}
    ordered: bool = True
    events_once: bool = False

    def plan(self, delivery: Delivery) -> Plan:
        """Return what a delivery is at Voucherify."""
        if delivery.type == CUSTOMER_UPDATED:
            return Post("/v1/customers", customer_body(read_customer_updated(bytes(delivery.event))))
        if delivery.type == EVENT_OCCURRED:
            return self._event(read_event_occurred(bytes(delivery.event)))
        if not delivery.type.startswith("discount."):
            return Refused(f"Voucherify is not sent `{delivery.type}`")
        discount = delivery.discount_event().data
        try:
            return self._discount(delivery, discount)
        except Inexpressible as error:
            return Refused(str(error))

    def _discount(self, delivery: Delivery, discount: Discount) -> Plan:
        if delivery.type == "discount.issued":
            return self._issue(delivery, discount)
        code, ours = discount.code, discount_id(discount)
        credit = _credit(discount)
        if delivery.type == "discount.used" and credit is not None:
            return LowerBalance(code, ours, hundredths(credit.remaining))
        to = _SWITCHES.get(delivery.type)
        if to is None:
            return Refused(f"Voucherify has nothing like `{delivery.type}` of `{type_of(discount)}`")
        if to == "enable" and not self.ordered:
            return Refused("a code is enabled again only with `ordered = true`: it may be revoked by now")
        if delivery.type == "discount.expired":
            return Switch(code, ours, to, "done")  # the voucher has the same expiration date
        # Without an order the voucher may be created later, and would then stay active.
        return Switch(code, ours, to, "dead" if self.ordered else "retry")

    def _issue(self, delivery: Delivery, discount: Discount) -> Issue:
        rule = str(discount.metadata.get("rule", ""))
        campaign = self.campaigns.get(rule, self.campaign)
        ours = discount_id(discount)
        actions = [each.action for each in discount.benefits]
        voucher: dict[str, Any] = {} if campaign else benefits(actions, self.products)
        if discount.expires_at is not None:
            voucher["expiration_date"] = discount.expires_at.isoformat().replace("+00:00", "Z")
        if _credit(discount) is None:
            voucher["redemption"] = {"quantity": 1}
        # Without the customer's id: it would outlive their deletion at Voucherify.
        metadata = {name: value for name, value in discount.metadata.items() if name != "user_id"}
        voucher["metadata"] = {**metadata, "action": type_of(discount), "discount_id": ours}
        code = quote(discount.code, safe="")
        path = (
            f"/v1/campaigns/{quote(campaign, safe='')}/vouchers/{code}"
            if campaign
            else f"/v1/vouchers/{code}"
        )
        return Issue(discount.code, ours, path, voucher, f"bd-{delivery.id}", delivery.source_id)

    def _event(self, forwarded: ForwardedEvent) -> Plan:
        event = forwarded.event
        if not 1 <= len(event.name) <= LONGEST_EVENT:
            return Refused(f"Voucherify takes names of events with 1 to {LONGEST_EVENT} characters")
        happened = event.occurred_at.isoformat().replace("+00:00", "Z")
        metadata = {**_present(event.attributes), "event_id": event.id, "occurred_at": happened}
        customer = {"source_id": forwarded.source_id}
        body = {"event": event.name, "customer": customer, "metadata": metadata}
        return Post("/v1/events", body, once=self.events_once)


def state_of(delivery: Delivery) -> str | None:
    """Return the state that a delivery sets at Voucherify; None for what is never combined.

    Activity and balance are apart: the latest activity says nothing of the balance.
    """
    if delivery.type == CUSTOMER_UPDATED:
        return "customer"
    if delivery.type in _SWITCHES:
        return f"active {discount_id(delivery.discount_event().data)}"
    if delivery.type == "discount.used":
        return f"balance {discount_id(delivery.discount_event().data)}"
    return None


def customer_body(customer: ForwardedCustomer) -> dict[str, Any]:
    """Return the body of an upsert; what the customer has not is left out, and stays as it is there."""
    fields = {name: getattr(customer, name) for name in ("name", "email", "phone", "description")}
    body = {"source_id": customer.source_id, **_present(fields)}
    address = {name: value for name, value in (customer.address or {}).items() if name in _ADDRESS}
    if address := _present(address):
        body["address"] = address
    if customer.birthdate is not None:
        body["birthdate"] = customer.birthdate[:10]
    metadata = _present(customer.traits)
    if customer.segments:
        metadata["segments"] = list(customer.segments)
    if metadata:
        body["metadata"] = metadata
    return body


def type_of(discount: Discount) -> str:
    """Return the type of a discount's action, as rules have it."""
    return str(type(discount.action).__struct_config__.tag)


def _credit(discount: Discount) -> StoreCredit | None:
    """Return the credit of a discount that is a gift voucher at Voucherify: it gives nothing else."""
    action = discount.action
    return action if discount.actions is UNSET and isinstance(action, StoreCredit) else None


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members without nulls: Voucherify does not say whether a null removes what it has."""
    return {name: value for name, value in members.items() if value is not None}
