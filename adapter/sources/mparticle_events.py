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
    `products` …), and `currency` is `currency_code`. Where a custom attribute has the same name, the
    event's own field wins; the attribute is still in the raw event.
    """
    attributes = data.get("custom_attributes")
    properties = dict(attributes) if type(attributes) is dict else {}
    for field, value in data.items():
        if field not in _ENVELOPE and value is not None:
            properties[field] = value
    for field in ("promotion_action", "product_action"):
        action = data.get(field)
        if type(action) is dict:
            properties.update((name, value) for name, value in action.items() if value is not None)
        elif action is not None:
            properties[field] = action
    if data.get("currency_code") is not None:
        properties["currency"] = data["currency_code"]
    return properties
