"""mParticle's events under the words that mappings use: a name, and properties.

Source of the fields: mParticle/docs, `developers/server/json-reference`.
"""

from __future__ import annotations

from typing import Any

#: What every event's data may carry beside its own fields; it stays readable in the raw event.
_ENVELOPE = frozenset({
    "event_id", "source_message_id", "event_name", "event_num", "custom_event_type", "custom_attributes",
    "custom_flags", "session_id", "session_uuid", "session_start_unixtime_ms", "event_start_unixtime_ms",
    "timestamp_unixtime_ms", "location", "device_current_state", "is_goal_defined", "data_connection_type",
    "view_controller", "is_main_thread", "canonical_name", "event_system_notification_info",
    "product_action", "promotion_action",
})  # fmt: skip
#: The web SDK sends some actions as the numbers of its enumerations (mparticle-web-sdk, `types.ts`), and
#: mParticle spells one both ways: in `action`, and in `custom_event_type`.
_PRODUCT_ACTIONS = {
    "1": "add_to_cart", "2": "remove_from_cart", "3": "checkout", "4": "checkout_option", "5": "click",
    "6": "view_detail", "7": "purchase", "8": "refund", "9": "add_to_wishlist",
    "10": "remove_from_wishlist", "remove_from_wish_list": "remove_from_wishlist",
}  # fmt: skip
_PROMOTION_ACTIONS = {
    "1": "promotion_view", "2": "promotion_click", "view": "promotion_view", "click": "promotion_click",
}  # fmt: skip
#: The e-commerce spec's names of mParticle's fields: of an event, a product and a promotion.
_SPEC = {
    "transaction_id": "order_id", "total_amount": "total", "tax_amount": "tax", "shipping_amount": "shipping",
    "coupon_code": "coupon", "checkout_step": "step", "product_action_list": "list_id",
}  # fmt: skip
_PRODUCT_SPEC = {
    "id": "product_id", "name": "name", "brand": "brand", "category": "category", "variant": "variant",
    "position": "position", "price": "price", "quantity": "quantity", "coupon_code": "coupon",
    "total_product_amount": "total",
}  # fmt: skip
_PROMOTION_SPEC = {"id": "promotion_id", "name": "name", "creative": "creative", "position": "position"}
#: A checkout's total is the value of its cart.
_OF_CHECKOUT = ("checkout", "checkout_option", "3", "4")
#: Actions whose first product's fields stand at the top of the event.
_OF_PRODUCTS = (
    "add_to_cart", "remove_from_cart", "click", "view_detail", "add_to_wishlist", "remove_from_wishlist",
    "remove_from_wish_list", "1", "2", "5", "6", "9", "10",
)  # fmt: skip


def name_of(kind: str, data: dict[str, Any]) -> str:
    """Return the event's name: its own, or what was done for commerce, else its type.

    Commerce events are named by the product action (`purchase`, `add_to_cart`, `view_detail`,
    `remove_from_wishlist` …), `promotion_view`, `promotion_click` or `impression`.
    """
    if kind == "commerce_event":
        return _commerce_name(data) or kind
    name = data.get("screen_name" if kind == "screen_view" else "event_name")
    return name if type(name) is str and name else kind


def _commerce_name(data: dict[str, Any]) -> str | None:
    for field, actions in (("product_action", _PRODUCT_ACTIONS), ("promotion_action", _PROMOTION_ACTIONS)):
        action = _action(data.get(field))
        if action:
            return actions.get(action, action)
    if data.get("product_impressions"):
        return "impression"
    for field in ("custom_event_type", "event_name"):
        if type(data.get(field)) is str and data[field]:
            return str(data[field])
    return None


def _action(value: Any) -> str:
    action = value.get("action") if type(value) is dict else None
    return str(action).strip().lower() if type(action) in (str, int) else ""


def properties_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return the custom attributes, with the event's own fields beside them; unset (null) fields left out.

    The fields of the product or promotion action stand at the top (`transaction_id`, `total_amount`,
    `products` …), and `currency` is `currency_code`. Where a custom attribute has the name of such a field,
    or the name that the e-commerce spec gives it, the event's own field wins, and the attribute is kept
    under `custom_attributes`.
    """
    attributes = data.get("custom_attributes")
    attributes = attributes if type(attributes) is dict else {}
    own = _own(data)
    displaced = _displaced(attributes, _said(own, data)) if attributes else {}
    if displaced:
        own["custom_attributes"] = displaced
    return {**attributes, **own}


def _own(data: dict[str, Any]) -> dict[str, Any]:
    own = {field: value for field, value in data.items() if field not in _ENVELOPE and value is not None}
    for field in ("promotion_action", "product_action"):
        action = data.get(field)
        if type(action) is dict:
            own.update((name, value) for name, value in action.items() if value is not None)
        elif action is not None:
            own[field] = action
    if data.get("currency_code") is not None:
        own["currency"] = data["currency_code"]
    if type(own.get("products")) is list:
        own["products"] = [_product(product) for product in own["products"]]
    return own


def _said(own: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Return what an event's own fields say, under their names and under those of the e-commerce spec."""
    said = {**own, **{_SPEC[field]: value for field, value in own.items() if field in _SPEC}}
    if _action(data.get("product_action")) in _OF_CHECKOUT and "total_amount" in own:
        said["value"] = said.pop("total")
    elif _action(data.get("product_action")) in _OF_PRODUCTS and own.get("products"):
        products = own["products"]
        product = _spec_fields(products[0] if type(products) is list else None, _PRODUCT_SPEC)
        product.pop("total", None)  # of the product, not of the event
        said |= product
    if type(own.get("promotions")) is list and own["promotions"]:
        said |= _spec_fields(own["promotions"][0], _PROMOTION_SPEC)
    if "screen_name" in own:
        said["name"] = own["screen_name"]
    return said


def _product(product: Any) -> Any:
    """Return a product whose unset fields are its custom attributes of the same name, where it has such.

    Those that bear the name of a field that is set are `displaced`.
    """
    custom = product.get("custom_attributes") if type(product) is dict else None
    if type(custom) is not dict or not custom:
        return product
    displaced = _displaced(custom, _spec_fields(product, _PRODUCT_SPEC))
    filled = {
        field: custom[name] for field, name in _PRODUCT_SPEC.items()
        if name in custom and product.get(field) is None
    }  # fmt: skip
    if not displaced and not filled:
        return product
    return {**product, **filled, **({"displaced": displaced} if displaced else {})}


def _spec_fields(item: Any, spec: dict[str, str]) -> dict[str, Any]:
    fields = item if type(item) is dict else {}
    return {name: fields[field] for field, name in spec.items() if fields.get(field) is not None}


def _displaced(attributes: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name in said and said[name] != value}
