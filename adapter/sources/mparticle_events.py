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
#: mParticle itself spells it both ways: in `action`, and in `custom_event_type`.
_ACTIONS = {"remove_from_wish_list": "remove_from_wishlist"}


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
    action = _action(data.get("product_action"))
    if action:
        return _ACTIONS.get(action, action)
    promotion = _action(data.get("promotion_action"))
    if promotion:
        return f"promotion_{promotion}"
    if data.get("product_impressions"):
        return "impression"
    for field in ("custom_event_type", "event_name"):
        if type(data.get(field)) is str and data[field]:
            return str(data[field])
    return None


def _action(value: Any) -> str | None:
    action = value.get("action") if type(value) is dict else None
    return action.strip().lower() if type(action) is str else None


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
