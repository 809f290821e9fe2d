"""mParticle's Firehose, the protocol of partner modules: audiences, which its Webhook output does not send.

Source of the protocol: mParticle/mparticle-firehose-java-sdk, `examples/json`. Each request has a `type` and
an `id`, and is answered by the response of the same name and id. Audience memberships become messages of
`type = "audience"`; a heartbeat has none. Events are sent by the Webhook output, so a request that holds
some is quarantined whole, with the reason. Data subject requests prove themselves at another door, and are
refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Raw

from adapter.errors import Unreadable
from adapter.model.encoding import encode
from adapter.model.messages import Message
from adapter.model.sources import MPARTICLE
from adapter.sources import payloads
from adapter.sources.decoded_body import Decoded, Origin, bounded_key, content_key, undecoded
from adapter.sources.mparticle.batch_context import times_of, trait_name
from adapter.sources.mparticle.identities import canonical_kind, set_text, text_id

SOURCE = MPARTICLE.name
_SUFFIX = "_request"
_MEMBERSHIP = "audience_membership_change_request"
#: Says that an audience will be sent, or no more: there is nothing to do.
_SUBSCRIPTION = "audience_subscription_request"
_EVENTS = "event_processing_request"
_REGISTRATION = "module_registration_request"
DEMANDING = "dsr_processing_request"
_PROFILES = "user_profiles"
_EVENTS_ELSEWHERE = f"`{_EVENTS}` is not taken here: let the Webhook output send events"
_REGISTERED_ELSEWHERE = f"`{_REGISTRATION}` is not taken here: register the module at mParticle"
#: Why a data subject request is not taken: nothing would be erased.
DEMAND = (
    f"`{DEMANDING}` is not taken here, and nothing is erased by it: let data subject requests come signed to "
    "`/webhooks/mparticle/opendsr`, or call DELETE /v1/customers/SOURCE_ID"
)


def inside(kind: Any) -> str | None:
    """Return what holds the parts of an item of a `type`: profiles of a request, events of a batch."""
    if not is_request({"type": kind}):
        return "events"
    return _PROFILES if kind == _MEMBERSHIP else None


def is_request(item: dict[str, Any]) -> bool:
    """Say whether an item is a Firehose request, not a batch."""
    kind = item.get("type")
    return type(kind) is str and kind.endswith(_SUFFIX)


def response(body: bytes, now: datetime) -> dict[str, Any]:
    """Return the response to a request; raises Unreadable where the body is not a request."""
    found = payloads.opened(body)
    request = {name: payloads.decode(bytes(found.get(name, b"null"))) for name in ("type", "id")}
    if not is_request(request):
        raise Unreadable("the body must be a Firehose request, which is a JSON object with a `type`")
    kind = request["type"].removesuffix(_SUFFIX)
    return {"type": f"{kind}_response", "id": request["id"], "timestamp_ms": int(now.timestamp() * 1000)}


def take(decoded: Decoded, request: dict[str, Any], received_at: datetime) -> str | None:
    """Add the messages of a request; return why it is rejected, DEMAND for a data subject request.

    A profile that says nothing is quarantined alone.
    """
    kind = request["type"]
    if kind == _MEMBERSHIP:
        _take_memberships(decoded, request, received_at)
    elif kind == DEMANDING:
        return DEMAND
    elif kind == _EVENTS:
        return _EVENTS_ELSEWHERE if request.get("events") else None
    elif kind == _REGISTRATION:
        return _REGISTERED_ELSEWHERE
    elif kind != _SUBSCRIPTION:
        return f"`{kind[:60]}` is not taken here: send `{_MEMBERSHIP}`"
    return None


def sliced(
    request: dict[str, Any], profiles: Sequence[Raw | bytes], origin: Origin, size: int
) -> Iterator[Decoded]:
    """Decode the profiles of a long request slice by slice; all but them is in `request`, of `size` bytes."""

    def take(decoded: Decoded, profile: Any) -> None:
        audiences = profile.get("audiences") if type(profile) is dict else None
        count = len(audiences) if type(audiences) is list else 0
        raw = encode(profile) if count > 1 else b""
        if origin.bounds.fits(len(raw), count):
            _take_profile(decoded, request, profile, origin.received_at)
        else:
            origin.refuse(decoded, raw, origin.bounds.repeated(count))

    return origin.sliced(profiles, take, size)


def _take_memberships(decoded: Decoded, request: dict[str, Any], received_at: datetime) -> None:
    profiles = request.get(_PROFILES) or []
    for profile in profiles if type(profiles) is list else [profiles]:
        _take_profile(decoded, request, profile, received_at)


def _take_profile(decoded: Decoded, request: dict[str, Any], profile: Any, received_at: datetime) -> None:
    taken = list(_memberships(request, profile, received_at)) if type(profile) is dict else []
    decoded.messages += taken
    if not taken:
        reason = "the profile has no `audiences`, or neither an mpid nor a customer_id"
        raw = profile.raw if isinstance(profile, payloads.MalformedItem) else profile
        decoded.quarantined.append(undecoded(SOURCE, raw, reason, received_at))


def _memberships(
    request: dict[str, Any], profile: dict[str, Any], received_at: datetime
) -> Iterator[Message]:
    mpid, identities = text_id(profile.get("mpid")), _identities(profile.get("user_identities"))
    audiences = profile.get("audiences")
    if mpid is None and "customer_id" not in identities:
        return
    for audience in audiences if type(audiences) is list else []:
        if type(audience) is not dict or type(audience.get("action")) is not str:
            continue
        request_id = set_text(request.get("id"))
        key = content_key([request_id or request.get("timestamp_ms"), mpid, identities, audience])
        document = {
            "type": "audience",
            "event": audience["action"].lower(),
            "messageId": bounded_key(f"{key}:audience"),
            **times_of(received_at, request.get("timestamp_ms")),
            "identities": identities,
            "properties": {name: value for name, value in audience.items() if name != "user_attributes"},
            **_attributes(audience.get("user_attributes")),
            "context": {},
            "mparticle": {"profile": profile},
        }
        if mpid is not None:
            document["anonymousId"] = mpid
        if "customer_id" in identities:
            document["userId"] = identities["customer_id"]
        yield Message(SOURCE, document["messageId"], document, received_at)


def _identities(value: Any) -> dict[str, str]:
    """Return the unhashed identities; a hash identifies no customer here."""
    found = {}
    for entry in value if type(value) is list else []:
        if type(entry) is dict and entry.get("encoding", "raw") == "raw" and type(entry.get("type")) is str:
            text = set_text(entry.get("value"))
            if text is not None:
                found[canonical_kind(entry["type"])] = text
    return found


def _attributes(value: Any) -> dict[str, Any]:
    """Return the attributes that come with a membership; one without a value is a tag, which is there."""
    traits: dict[str, Any] = {}
    deleted: list[str] = []
    for entry in value if type(value) is list else []:
        name = entry.get("key") if type(entry) is dict else None
        if type(name) is not str:
            continue  # mParticle's own example has an empty one
        name = trait_name(name)
        if entry.get("action") == "delete":
            deleted.append(name)
        else:
            listed = entry.get("list_value")
            traits[name] = listed if listed is not None else entry.get("value")
    return {"traits": traits, "deletedTraits": deleted}
