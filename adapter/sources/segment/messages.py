"""Segment's calls as messages, however they came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapter.model.messages import Message
from adapter.model.sources import SEGMENT
from adapter.sources.decoded_body import Decoded, bounded_key, content_key, undecoded
from adapter.sources.payloads import MalformedItem

SOURCE = SEGMENT.name
_ABOUT_EVENTS = ("track", "page", "screen")


def message(item: dict[str, Any], received_at: datetime) -> Message:
    """Return one call as a message; one without a `messageId` is given its content's hash as such.

    The key is `messageId:type`, for calls of several types may share a messageId. It is settled before the
    traits are completed, so that it is that of the call as it was sent.
    """
    identifier = item.get("messageId")
    if type(identifier) is int:
        identifier = str(identifier)
    if type(identifier) is not str or not identifier:
        identifier = item["messageId"] = content_key(item)
    _complete_traits(item)
    return Message(SOURCE, bounded_key(f"{identifier}:{item.get('type')}"), item, received_at)


def _complete_traits(item: dict[str, Any]) -> None:
    """Put the traits of a call where Segment's spec has them.

    RudderStack's SDKs send those of an identify in `context.traits`, and some senders those of a track, page
    or screen at its top. Where both places name one, `traits` wins, unless it is null there.
    """
    kind, own, context = item.get("type"), item.get("traits"), item.get("context")
    around = context.get("traits") if type(context) is dict else None
    if kind == "identify":
        if type(around) is dict and around and (own is None or type(own) is dict):
            item["traits"] = _both(around, own or {})
    elif type(own) is dict and own and kind in _ABOUT_EVENTS:
        # The items of a batch may share their context.
        context = context if type(context) is dict else {}
        item["context"] = {**context, "traits": _both(around if type(around) is dict else {}, own)}


def _both(around: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    return around | {name: value for name, value in own.items() if value is not None or name not in around}


def refuse(decoded: Decoded, item: Any, received_at: datetime) -> None:
    """Quarantine an item that is no call, with the reason."""
    if isinstance(item, MalformedItem):
        entry = undecoded(SOURCE, item.raw, item.reason, received_at)
    elif isinstance(item, dict):
        entry = undecoded(SOURCE, item, "the item is form-encoded; take the Content-Type header out of the "
                          "webhook's settings so that Segment sends JSON", received_at)  # fmt: skip
    else:
        entry = undecoded(SOURCE, item, "the item is not a Segment message, which is an object", received_at)
    decoded.quarantined.append(entry)
