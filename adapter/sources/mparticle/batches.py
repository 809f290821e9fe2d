"""mParticle's Webhook output and Events API: batches, and alias requests.

Source of the protocol: mParticle/docs, `integrations/webhook/event` and `developers/server/json-reference`.
A batch becomes one message for each of its events, and before them one of type `identify` with its
identities and attributes. Documents of one batch share their traits, identities, context and raw batch.

Dedupe keys: `source_message_id`, else `event_id`, each with the event's type (a session's start has the
session's id as its own) and the person, for an input's ids are its own and many inputs come to one door; else
a hash of the content. Where neither event nor batch has an id or a time, the time of receipt goes into it:
nothing tells a repetition from the next event then, and mParticle too takes each for a new one.

A snapshot's key holds its batch's id and a hash of what it says: one POST per event repeats the batch's ids,
and must not lose a snapshot that has changed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, count
from typing import Any

from msgspec import Raw, Struct

from adapter.errors import Refused, TooLarge, Unauthorised, Unreadable
from adapter.model.encoding import encode
from adapter.model.messages import Message
from adapter.model.own_messages import PREFIX, has_own_mark
from adapter.model.sources import MPARTICLE
from adapter.sources import payloads
from adapter.sources.decoded_body import Bounds, Decoded, Origin, bounded_key, content_key, undecoded
from adapter.sources.mparticle import firehose
from adapter.sources.mparticle.batch_context import Batch, context_of, read_batch, times_of
from adapter.sources.mparticle.events import name_of, properties_of
from adapter.sources.mparticle.identities import set_text, text_id
from adapter.sources.payloads import MalformedItem

SOURCE = MPARTICLE.name
_CHANGE = b'"user_attribute_change"'
#: A body that says none of these is no batch.
_BATCH_FIELDS = ("events", "mpid", "user_identities", "user_attributes", "deleted_user_attributes")


def verify(authorization: str | None, accepted: Sequence[str]) -> None:
    """Compare the whole Authorization header, in constant time, with each accepted value.

    Without accepted values nothing is checked. Raises Unauthorised, `missing` when there is no header.
    """
    if not accepted:
        return
    if authorization is None:
        raise Unauthorised("the Authorization header is missing; set it in the webhook's settings "
                           "in mParticle", missing=True)  # fmt: skip
    given = " ".join(authorization.split()).encode("utf-8", "replace")
    matches = [hmac.compare_digest(given, " ".join(value.split()).encode()) for value in accepted]
    if not any(matches):
        raise Unauthorised("the Authorization header is not one that is configured here")


def decode(body: bytes, received_at: datetime) -> Decoded:
    """Decode a batch, an array of batches, or an alias request.

    Raises Unreadable where the body is neither an object nor an array; a bad event or batch is
    quarantined alone. Our own events that come back are counted in `dropped`. Raises Refused for a data
    subject request.
    """
    value = payloads.decode_items(body, "events")
    if type(value) not in (dict, list, MalformedItem):
        raise Unreadable("the body must be an mParticle batch, which is a JSON object, or an array of them")
    decoded = Decoded([], [], source=SOURCE)
    if type(value) is dict and value.get("type") == firehose.DEMANDING:
        raise Refused(firehose.DEMAND)
    for item in value if type(value) is list else [value]:
        _take_item(decoded, item, received_at)
    return decoded


def parts(body: bytes, received_at: datetime, bounds: Bounds) -> Iterator[Decoded]:
    """Decode a long body as `decode` does, but slice by slice, each when it is asked for.

    What is over the bound is quarantined without being decoded: an event with what its batch says for all of
    its events, or a whole batch where that would be kept too often. Raises as `decode` does, before the first
    slice.
    """
    origin = Origin(SOURCE, received_at, bounds)
    if payloads.is_array(body):
        items = [_opened(raw) for raw in payloads.elements(body)]
    elif payloads.is_object(body):
        items = [_opened(body)]
        if items[0].kind == firehose.DEMANDING:
            raise Refused(firehose.DEMAND)
    else:
        raise Unreadable("the body must be an mParticle batch, which is a JSON object, or an array of them")
    if sum(len(item.inside) for item in items) > payloads.MAX_ITEMS:
        raise TooLarge(payloads.TOO_MANY)
    return (part for item in items for part in _sliced(item, origin))


class _Opened(Struct):
    """An item of a body, undecoded: what it says for all that it has `inside`, which are events or profiles.

    Of one that is small, or no batch, nothing is inside.
    """

    raw: Raw | bytes
    kind: Any = None
    shared: dict[str, Raw] | dict[str, bytes] = {}
    inside: Sequence[Raw | bytes] = ()

    @property
    def size(self) -> int:
        """The bytes of what is said for all."""
        return sum(len(key) + len(memoryview(raw)) for key, raw in self.shared.items())


def _opened(raw: Raw | bytes) -> _Opened:
    if not payloads.is_object(bytes(raw)):
        return _Opened(raw)
    found: dict[str, Any] = dict(payloads.opened(raw))
    kind = payloads.element(found["type"]) if "type" in found else None
    if kind == firehose.DEMANDING:
        return _Opened(encode({"type": kind}), kind)
    field = firehose.inside(kind)
    if field is None or not payloads.is_array(bytes(found.get(field, b""))):
        return _Opened(raw, kind)
    return _Opened(raw, kind, found, payloads.elements(found.pop(field)))


def _sliced(item: _Opened, origin: Origin) -> Iterator[Decoded]:
    bounds, size = origin.bounds, item.size
    if not item.inside:
        return origin.sliced((item.raw,), partial(_take_item, received_at=origin.received_at))
    if not bounds.fits(size, len(item.inside)):
        return origin.refused(item.raw, bounds.repeated(len(item.inside)))
    try:
        shared = {key: payloads.decode(bytes(raw)) for key, raw in item.shared.items()}
    except Unreadable as error:
        return origin.refused(item.raw, error.message)
    if firehose.is_request(shared):
        return firehose.sliced(shared, item.inside, origin, size)
    return _sliced_batch(shared, item.inside, origin, size)


def _take_item(decoded: Decoded, item: Any, received_at: datetime) -> None:
    reason = _take(decoded, item, received_at)
    if reason:
        decoded.quarantined.append(undecoded(SOURCE, _kept(item, reason), reason, received_at))


def _kept(item: Any, reason: str) -> Any:
    """Return what is kept of an item that is rejected: of an erasure request, nothing that identifies."""
    if reason is firehose.DEMAND:
        return {"type": item["type"]}
    return item.raw if isinstance(item, MalformedItem) else item


def _take(decoded: Decoded, item: Any, received_at: datetime) -> str | None:
    """Add what a batch or alias request holds; return why it is neither."""
    if isinstance(item, MalformedItem):
        return item.reason
    if type(item) is not dict:
        return "the item is not an mParticle batch, which is an object"
    if firehose.is_request(item):
        return firehose.take(decoded, item, received_at)
    if item.get("request_type") == "alias":
        return _take_alias(decoded, item, received_at)
    events = item.get("events")
    if events is not None and type(events) is not list:
        return "`events` is not an array"
    if not any(item.get(field) for field in _BATCH_FIELDS):
        return "neither an mParticle batch (no events, no user) nor an alias request"
    _take_batch(decoded, item, events or [], received_at)
    return None


def _take_batch(decoded: Decoded, item: dict[str, Any], events: list[Any], received_at: datetime) -> None:
    raw = {name: value for name, value in item.items() if name != "events"}
    batch = read_batch(raw, events, received_at)
    if batch.ours:
        decoded.dropped += max(1, len(events))
        return
    kept = [(place, event) for place, event in enumerate(events) if not _is_ours(event, batch)]
    decoded.dropped += len(events) - len(kept)
    if batch.faults:
        decoded.quarantined.append(undecoded(SOURCE, raw, "; ".join(batch.faults), received_at))
    elif not events or (kept and (batch.identities or batch.traits or batch.deleted)):
        decoded.messages.append(_snapshot(batch))
    for place, event in kept:
        _take_event(decoded, event, place, batch)


def _sliced_batch(
    raw: dict[str, Any], events: Sequence[Raw | bytes], origin: Origin, size: int
) -> Iterator[Decoded]:
    changes = [payloads.element(event) for event in events
               if _CHANGE in bytes(event) and len(memoryview(event)) <= origin.bounds.message]  # fmt: skip
    batch = read_batch(raw, changes, origin.received_at)
    head = Decoded([], [], source=SOURCE)
    if batch.ours:
        head.dropped = len(events)
        return iter((head,))
    if batch.faults:
        head.quarantined.append(undecoded(SOURCE, raw, "; ".join(batch.faults), origin.received_at))
    snapshot_due = not batch.faults and bool(batch.identities or batch.traits or batch.deleted)
    places = count()

    def take(decoded: Decoded, event: Any) -> None:
        nonlocal snapshot_due
        place = next(places)
        if _is_ours(event, batch):
            decoded.dropped += 1
            return
        if snapshot_due:
            snapshot_due = False
            decoded.messages.append(_snapshot(batch))
        _take_event(decoded, event, place, batch)

    return chain((head,), origin.sliced(events, take, size))


def _is_ours(event: Any, batch: Batch) -> bool:
    data = event.get("data") if batch.from_server and type(event) is dict else None
    if type(data) is not dict:
        return False
    identifier = data.get("source_message_id")
    if type(identifier) is str and identifier.startswith(PREFIX):
        return True
    return has_own_mark(data.get("custom_attributes"))


def _snapshot(batch: Batch) -> Message:
    # A repeated snapshot does no harm; one that is mistaken for an older one does. So the key has the time.
    which = batch.id or batch.sent or batch.received_at
    content = content_key([batch.mpid, batch.identities, batch.traits, batch.deleted, which])
    key = bounded_key(f"{batch.id}:identify:{content}" if batch.id else f"identify:{content}")
    document = _document("identify", key, times_of(batch.received_at, batch.sent), batch)
    document["context"] = batch.context
    document["mparticle"] = {"batch": batch.raw}
    return Message(SOURCE, key, document, batch.received_at, batch.replayed)


def _take_event(decoded: Decoded, event: Any, place: int, batch: Batch) -> None:
    if isinstance(event, MalformedItem):
        decoded.quarantined.append(undecoded(SOURCE, event.raw, event.reason, batch.received_at))
        return
    kind, data = (event.get("event_type"), event.get("data")) if type(event) is dict else (None, None)
    if data is None:
        data = {}
    if type(kind) is str and kind and type(data) is dict:
        message_id, key = _event_keys(kind, data, place, batch)
        document = _event_document(event, message_id, kind, data, batch)
        decoded.messages.append(Message(SOURCE, key, document, batch.received_at, batch.replayed))
        return
    reason = "the event has no `event_type`, or its `data` is not an object"
    decoded.quarantined.append(undecoded(SOURCE, event, reason, batch.received_at))


def _event_document(
    event: dict[str, Any], message_id: str, kind: str, data: dict[str, Any], batch: Batch
) -> dict[str, Any]:
    document = _document(kind, message_id, times_of(batch.received_at, *_times(data, batch)), batch)
    document["event"] = name_of(kind, data)
    if kind == "screen_view":
        document["name"] = document["event"]
    document["properties"] = properties_of(data)
    document["context"] = context = dict(batch.context)
    session = text_id(data.get("session_id")) or text_id(data.get("session_uuid"))
    if session:
        context["session_id"] = session
    if data.get("location"):
        context["location"] = data["location"]
    document["mparticle"] = {"event": event, "batch": batch.raw}
    return document


def _times(data: dict[str, Any], batch: Batch) -> tuple[Any, ...]:
    return data.get("timestamp_unixtime_ms"), data.get("event_start_unixtime_ms"), batch.sent


def _event_keys(kind: str, data: dict[str, Any], place: int, batch: Batch) -> tuple[str, str]:
    """Return an event's id and its dedupe key."""
    identifier = set_text(data.get("source_message_id")) or text_id(data.get("event_id"))
    if identifier:
        message_id = f"{identifier}:{kind}"
        return bounded_key(message_id), bounded_key(f"{message_id}:{batch.mpid or batch.user_id or ''}")
    identified = batch.id or any(_times(data, batch))
    which = None if identified else batch.received_at
    key = content_key([kind, data, place, batch.mpid, batch.identities, batch.ids, batch.sent, which])
    return key, key


def _document(kind: str, key: str, times: dict[str, Any], batch: Batch) -> dict[str, Any]:
    document: dict[str, Any] = {"type": kind, "messageId": key, **times}
    if batch.user_id is not None:
        document["userId"] = batch.user_id
    if batch.mpid is not None:
        document["anonymousId"] = batch.mpid
    document["identities"] = batch.identities
    document["traits"] = batch.traits
    document["deletedTraits"] = batch.deleted
    return document


def _take_alias(decoded: Decoded, request: dict[str, Any], received_at: datetime) -> str | None:
    data = request.get("data")
    if type(data) is not dict:
        data = {}
    previous, current = text_id(data.get("source_mpid")), text_id(data.get("destination_mpid"))
    if previous is None or current is None:
        return "the alias request lacks `data.source_mpid` or `data.destination_mpid`"
    identifier = set_text(request.get("request_id"))
    key = bounded_key(f"{identifier}:alias") if identifier else content_key(request)
    device_id = data.get("device_application_stamp")
    document = {
        "type": "alias",
        "messageId": key,
        **times_of(received_at, data.get("end_unixtime_ms")),
        "previousId": previous,
        "anonymousId": current,
        "properties": data,
        "context": context_of({"environment": request.get("environment"), "mp_deviceid": device_id}),
        "mparticle": {"event": data, "batch": {name: request[name] for name in request if name != "data"}},
    }
    decoded.messages.append(Message(SOURCE, key, document, received_at))
    return None
