"""Requests as Segment's destinations send them.

segmentio/action-destinations `webhook/index.ts` and `webhook-extensible`: `X-Signature` is the hex HMAC-SHA1
of the message, of a batch that of its first message alone. Extensible signs before it wraps each item of a
batch in `json`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any

from adapter.model.sources import SEGMENT
from adapter.settings.values import Settings
from adapter.sources.sending import Request, Shape, joined

_PATH = "/webhooks/segment"
#: Segment's own limit of a batch.
_MOST = 4_000


def signature(secret: str, signed: bytes) -> str:
    """Return the value of `X-Signature` for the bytes of a message."""
    return hmac.digest(secret.encode(), signed, "sha1").hex()


def _packed(
    agent: str, body: Callable[[Sequence[bytes]], bytes]
) -> Callable[[Sequence[bytes], Settings], Request]:
    def pack(items: Sequence[bytes], settings: Settings) -> Request:
        headers = {"Content-Type": "application/json", "User-Agent": agent}
        if settings.segment.authorizations:
            headers["Authorization"] = settings.segment.authorizations[0]
        if settings.segment.shared_secrets:
            headers["X-Signature"] = signature(settings.segment.shared_secrets[0], items[0])
        return Request(_PATH, headers, body(items), len(items))

    return pack


def _takes(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("type"), str)


def _wrapped(items: Sequence[bytes]) -> bytes:
    return joined([b'{"json":' + item + b"}" for item in items])


def _first(items: Sequence[bytes]) -> bytes:
    return items[0]


_ACTIONS = "Segment (Actions)"
_S = SEGMENT.name
SHAPES = (
    Shape("segment-actions", _S, "Webhooks (Actions), one message", _packed(_ACTIONS, _first), _takes),
    Shape("segment-batch", _S, "Webhooks (Actions), batches", _packed(_ACTIONS, joined), _takes, _MOST),
    Shape(
        "segment-extensible", _S, "Extensible Webhook, batches", _packed(_ACTIONS, _wrapped), _takes, _MOST
    ),
    Shape("segment-classic", _S, "Webhooks (classic)", _packed("Segment.io/1.0", _first), _takes),
)
