"""Segment's webhooks: classic, Actions (single and batch), and Extensible.

Sources of the protocol: segmentio/action-destinations, `destinations/webhook` (the signature) and
`destinations/webhook-extensible` (items wrapped in `json`); segment-docs, `destinations/catalog/webhooks`.

The dedupe key is `messageId` with the type of the call. Segment sends one request per matching mapping,
all with the same messageId: of two mappings that point here with the same type, the first to arrive counts
and the other is a duplicate; so point one mapping here, with the whole event as its data.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from adapter.errors import Unauthorised, Unreadable
from adapter.model.own_messages import is_own_call
from adapter.sources import payloads
from adapter.sources.contract import Form
from adapter.sources.decoded_body import Bounds, Decoded, Origin
from adapter.sources.segment.messages import SOURCE, message, refuse
from adapter.sources.segment.tracking_api import batch_parts, decode_batch, write_key

__all__ = ["SOURCE", "batch_parts", "decode", "decode_batch", "parts", "verify", "write_key"]


def verify(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> Form:
    """Check `X-Signature`, hex HMAC-SHA1 under any of the secrets, and return what it covers.

    `whole` is the raw body as it came: a single message, or a batch whose every element is authenticated.
    `first_element` is element 0 of a batch, as it is or as it was before Extensible wrapped it in `json`;
    so the other elements are NOT authenticated, and a deployment that takes batches wants a second factor
    (TLS allow-list, secret header). An element 0 over `payloads.UNPROVEN_BYTES` is not looked at: Segment's
    own limit is a small part of that. Raises Unauthorised, `missing` when there is no header.
    """
    if signature is None:
        raise Unauthorised("the X-Signature header is missing; set the shared secret in the webhook's "
                           "settings in Segment", missing=True)  # fmt: skip
    claimed = signature.strip().lower().encode("utf-8", "replace")
    for form, signed in _signed(body):
        for secret in secrets:
            if hmac.compare_digest(hmac.digest(secret, signed, "sha1").hex().encode(), claimed):
                return form
    raise Unauthorised("X-Signature does not match the body; give the webhook in Segment the shared secret "
                       "that is configured here")  # fmt: skip


def _signed(body: bytes) -> Iterator[tuple[Form, bytes]]:
    """Yield the bytes that Segment may have signed; of a batch the whole comes last, as it is slow."""
    if payloads.is_array(body):
        for part in _first(body):
            yield "first_element", part
    yield "whole", body


def _first(body: bytes) -> Iterator[bytes]:
    """Yield the first element of a batch, and what it is without the `json` around it."""
    with suppress(Unreadable):
        first = next(payloads.slices(body[: payloads.UNPROVEN_BYTES], payloads.UNPROVEN_MARKS), b"")
        yield first
        if payloads.is_object(first):
            parts = payloads.members(first, payloads.UNPROVEN_MARKS)
            if set(parts) == {"json"}:
                yield parts["json"]


def decode(body: bytes, received_at: datetime) -> Decoded:
    """Decode a webhook's body: one message, or an array of them, each bare or under the one key `json`.

    Raises Unreadable where the body is neither; a bad element of an array is quarantined alone.
    """
    value = payloads.decode_items(body)
    decoded = Decoded([], [], source=SOURCE)
    if type(value) is list:
        for item in value:
            _take(decoded, item, received_at)
    elif type(value) is dict or isinstance(value, payloads.MalformedItem):
        _take(decoded, value, received_at)
    else:
        raise Unreadable("the body must be a Segment message, which is a JSON object, or an array of them")
    return decoded


def parts(body: bytes, received_at: datetime, bounds: Bounds) -> Iterator[Decoded]:
    """Decode a long body as `decode` does, but slice by slice, each when it is asked for.

    So its trees need not all be in memory, and the first messages are settled while the last are decoded. A
    message over the bound is quarantined without being decoded. Raises as `decode` does, before the first
    slice.
    """
    origin = Origin(SOURCE, received_at, bounds)
    if payloads.is_array(body):
        take = partial(_take, received_at=received_at)
        return origin.sliced(payloads.elements(body), take)
    if not payloads.is_object(body) or len(body) <= bounds.message:
        whole = decode(body, received_at)
        whole.size = len(body)
        return iter((whole,))
    payloads.expect_json(body)
    return origin.refused(body, bounds.exceeded("the message"))


def _take(decoded: Decoded, item: Any, received_at: datetime) -> None:
    if type(item) is dict:
        if len(item) == 1:
            item = _unwrapped(item)
        if len(item) != 1 or type(item.get("body")) is not str:
            if is_own_call(item):
                decoded.dropped += 1
            else:
                decoded.messages.append(message(item, received_at))
            return
    refuse(decoded, item, received_at)


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    inner = item.get("json")
    return inner if type(inner) is dict else item
