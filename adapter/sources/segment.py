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
from datetime import datetime
from functools import partial
from typing import Any

from adapter.errors import Unauthorised, Unreadable
from adapter.sources import payloads
from adapter.sources.decoded import Bounds, Decoded, Origin
from adapter.sources.segment_messages import SOURCE, message, refuse
from adapter.sources.segment_tracking import batch_parts, decode_batch, write_key

__all__ = ["SOURCE", "batch_parts", "decode", "decode_batch", "parts", "verify", "write_key"]


def verify(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> None:
    """Check `X-Signature`: hex HMAC-SHA1 over the bytes that Segment signed, under any of the secrets.

    Those are the raw body where it is an object. Of an array it is element 0 alone, as it was before
    Extensible wrapped it in `json`; so the other elements are NOT authenticated, and a deployment that
    takes batches wants a second factor (TLS allow-list, secret header). Without secrets nothing is checked.
    An element 0 over `payloads.UNPROVEN_BYTES` is not looked at: Segment's own limit is a small part of that.
    Raises Unauthorised, `missing` when there is no header.
    """
    if not secrets:
        return
    if signature is None:
        raise Unauthorised("the X-Signature header is missing; set the shared secret in the webhook's "
                           "settings in Segment", missing=True)  # fmt: skip
    claimed = signature.strip().lower().encode("utf-8", "replace")
    for signed in _signed(body):
        for secret in secrets:
            if hmac.compare_digest(hmac.digest(secret, signed, "sha1").hex().encode(), claimed):
                return
    raise Unauthorised("X-Signature does not match the body; give the webhook in Segment the shared secret "
                       "that is configured here")  # fmt: skip


def _signed(body: bytes) -> Iterator[bytes]:
    """Yield the bytes that Segment may have signed, the likeliest first."""
    if not payloads.is_array(body):
        yield body
        return
    try:
        first = next(payloads.slices(body[: payloads.UNPROVEN_BYTES], payloads.UNPROVEN_MARKS), b"")
        yield first
        if payloads.is_object(first):
            parts = payloads.members(first, payloads.UNPROVEN_MARKS)
            if set(parts) == {"json"}:
                yield parts["json"]
    except Unreadable:
        return


def decode(body: bytes, received_at: datetime) -> Decoded:
    """Decode a webhook's body: one message, or an array of them, each bare or under the one key `json`.

    Raises Unreadable where the body is neither; a bad element of an array is quarantined alone.
    """
    value = payloads.decode_items(body)
    decoded = Decoded([], [])
    if type(value) is list:
        for item in value:
            _take(decoded, item, received_at)
    elif type(value) is dict or isinstance(value, payloads.Broken):
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
            decoded.messages.append(message(item, received_at))
            return
    refuse(decoded, item, received_at)


def _unwrapped(item: dict[str, Any]) -> dict[str, Any]:
    inner = item.get("json")
    return inner if type(inner) is dict else item
