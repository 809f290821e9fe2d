"""Segment's HTTP Tracking API, so that its SDKs can point here.

Source of the protocol: segment-docs, `sources/catalog/libraries/server/http-api`. We stand in Segment's
place here, so what its servers do to a call is done to it: batch-level context and integrations are merged
into each item, and clocks that are wrong are corrected.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw, Struct

from adapter.errors import Unreadable
from adapter.model.messages import Message
from adapter.model.own_messages import is_own_call
from adapter.model.times import iso_text, parse_timestamp
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds, Decoded, Origin
from adapter.sources.segment.messages import SOURCE, message, refuse

#: Differences below this are the network's latency, not a wrong clock.
_TOLERANCE = timedelta(minutes=1)


class _Keyed(Struct):
    """The body's write key, and nothing else of it."""

    key: Raw = msgspec.field(default=Raw(b"null"), name="writeKey")


_keyed = msgspec.json.Decoder(_Keyed).decode


class _Shared(Struct, frozen=True):
    """What a batch says once for all its items."""

    context: Any
    integrations: Any
    received: str
    sent: Any
    skew: timedelta | None


def write_key(body: bytes) -> str | None:
    """Return the `writeKey` of a body from anybody, as `decode_batch` would; the rest of it is stepped over.

    What is JSON but for half a surrogate pair somewhere has one still, unless it is longer than Segment's own
    bodies. Raises Unreadable where the body is no JSON object.
    """
    try:
        raw = bytes(_keyed(body).key)
    except (msgspec.DecodeError, RecursionError):
        if len(body) > payloads.UNPROVEN_BYTES:
            raise Unreadable("the body must be a JSON object") from None
        raw = payloads.members(body, payloads.UNPROVEN_MARKS).get("writeKey", b"null")
    return payloads.decode(raw).strip() if raw.startswith(b'"') else None


def decode_batch(body: bytes, received_at: datetime, *, kind: str | None) -> Decoded:
    """Decode a tracking API body: `kind` is the single call's type by its path, None for batch and import.

    Raises Unreadable where the body is no object, or a batch has no array `batch`; a bad item is
    quarantined alone. The documents do not keep the body's `writeKey`.
    """
    value = payloads.decode_items(body, "" if kind else "batch")
    if isinstance(value, payloads.MalformedItem):
        decoded = Decoded([], [], source=SOURCE)
        refuse(decoded, value, received_at)
        return decoded
    if type(value) is not dict:
        raise Unreadable("the body must be a JSON object")
    value.pop("writeKey", None)
    decoded = Decoded([], [], source=SOURCE)
    if kind is not None:
        value["type"] = kind
        # Each retry is sent at another time, and must have the same content all the same.
        shared = _Shared(None, None, *_clock(value.pop("sentAt", None), received_at))
        items: Any = [value]
    else:
        items = value.get("batch")
        clock = _clock(value.get("sentAt"), received_at)
        shared = _Shared(value.get("context"), value.get("integrations"), *clock)
    if type(items) is not list:
        raise Unreadable("a batch must hold its messages as an array under `batch`")
    for item in items:
        _take(decoded, item, shared, received_at)
    return decoded


def _take(decoded: Decoded, item: Any, shared: _Shared, received_at: datetime) -> None:
    if type(item) is dict and is_own_call(item):
        decoded.dropped += 1
    elif type(item) is dict:
        decoded.messages.append(_completed(item, shared, received_at))
    else:
        refuse(decoded, item, received_at)


class _Batch(Struct):
    """What is read of a batch, undecoded."""

    batch: Raw = Raw(b"null")
    context: Raw = Raw(b"null")
    integrations: Raw = Raw(b"null")
    sent: Raw = msgspec.field(default=Raw(b"null"), name="sentAt")


_batch = msgspec.json.Decoder(_Batch).decode


def batch_parts(body: bytes, received_at: datetime, bounds: Bounds, *, kind: str | None) -> Iterator[Decoded]:
    """Decode a long body as `decode_batch` does, but slice by slice, each when it is asked for.

    An item over the bound is quarantined without being decoded; so is the whole batch where what it says for
    all of its items would be kept too often. Raises as `decode_batch` does, before the first slice.
    """
    if not payloads.is_object(body):
        raise Unreadable("the body must be a JSON object")
    origin = Origin(SOURCE, received_at, bounds)
    if kind is None:
        return _sliced(body, origin)
    if len(body) > bounds.message:
        payloads.expect_json(body)
        return origin.refused(body, bounds.exceeded("the message"))
    whole = decode_batch(body, received_at, kind=kind)
    whole.size = len(body)
    return iter((whole,))


def _sliced(body: bytes, origin: Origin) -> Iterator[Decoded]:
    found = payloads.opened(body)
    batch = found.get("batch", b"")
    if not payloads.is_array(bytes(batch)):
        raise Unreadable("a batch must hold its messages as an array under `batch`")
    items = payloads.elements(batch)
    said = [found.get(name, b"null") for name in ("context", "integrations", "sentAt")]
    size = sum(len(memoryview(raw)) for raw in said)
    if not origin.bounds.fits(size, len(items)):
        return origin.refused(body, origin.bounds.repeated(len(items)))
    try:
        context, integrations, sent = (payloads.decode(bytes(raw)) for raw in said)
    except Unreadable as error:
        return origin.refused(body, error.message)
    shared = _Shared(context, integrations, *_clock(sent, origin.received_at))
    return origin.sliced(items, partial(_take, shared=shared, received_at=origin.received_at), size)


def _clock(sent: Any, received_at: datetime) -> tuple[str, Any, timedelta | None]:
    """Return the time of receipt as text, the client's time of sending, and how wrong its clock is."""
    sent_at = parse_timestamp(sent)
    skew = None if sent_at is None else received_at - sent_at
    wrong = skew is not None and abs(skew) > _TOLERANCE
    return iso_text(received_at), sent, skew if wrong else None


def _completed(item: dict[str, Any], shared: _Shared, received_at: datetime) -> Message:
    item.pop("writeKey", None)
    for name, common in (("context", shared.context), ("integrations", shared.integrations)):
        if type(common) is dict and common:
            own = item.get(name)
            item[name] = {**common, **own} if type(own) is dict else common
    # The key first: the content of an item without an id must not hold what differs between retries.
    found = message(item, received_at)
    _stamp(item, shared)
    return found


def _stamp(item: dict[str, Any], shared: _Shared) -> None:
    """Set `timestamp` as Segment does: `receivedAt - (sentAt - originalTimestamp)`, or `receivedAt`.

    The client's clock is read from `timestamp`, or where that is missing, as RudderStack's SDKs send it, from
    `originalTimestamp`.
    """
    item["receivedAt"] = shared.received
    if shared.sent is not None:
        item["sentAt"] = shared.sent
    original = item.get("timestamp")
    if original is None or original == "":
        original = item.get("originalTimestamp")
    if original is None or original == "":
        item["timestamp"] = shared.received
        return
    item["timestamp"] = original
    if shared.skew is None:
        return
    moment = parse_timestamp(original)
    if moment is None:
        return
    try:
        corrected = iso_text(moment + shared.skew)
    except OverflowError:
        return
    item["originalTimestamp"], item["timestamp"] = original, corrected
