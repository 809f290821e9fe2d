"""What is different at Segment from the destination that `adapter connect segment` describes.

Values that may be secrets are never in the result: of the shared secret and of headers it says whether they
are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from adapter.services.authoring.connect_segment import ACTION_ID, METADATA_ID, SegmentSetup


class Drift(Struct, frozen=True):
    """One difference: where, what is there, and what should be."""

    where: str
    found: Any
    wanted: Any


def drift(
    wanted: SegmentSetup, destination: Mapping[str, Any], subscriptions: Sequence[Mapping[str, Any]]
) -> list[Drift]:
    """Return the differences of a destination and its subscriptions, as the Public API answers them."""
    found = list(_of_destination(destination))
    sending = [each for each in subscriptions if each.get("actionId") == ACTION_ID]
    mine = [each for each in sending if _settings(each).get("url") == wanted.url]
    if not sending:
        return [*found, Drift("subscription", None, "one with the action Send")]
    if len(mine) > 1:
        found.append(Drift("subscriptions to this address", len(mine), 1))
    return found + list(_of_subscription(wanted, (mine or sending)[0]))


def _of_destination(destination: Mapping[str, Any]) -> Iterator[Drift]:
    metadata = destination.get("metadata")
    kind = metadata.get("id") if isinstance(metadata, Mapping) else None
    yield from _differing("destination.metadata.id", kind, METADATA_ID)
    yield from _differing("destination.enabled", destination.get("enabled"), True)
    secret = "set" if _settings(destination).get("sharedSecret") else "missing"
    yield from _differing("destination.settings.sharedSecret", secret, "set")


def _of_subscription(wanted: SegmentSetup, found: Mapping[str, Any]) -> Iterator[Drift]:
    settings = _settings(found)
    yield from _differing("subscription.enabled", found.get("enabled"), True)
    yield from _differing("subscription.trigger", found.get("trigger"), wanted.trigger)
    yield from _differing("subscription.settings.url", settings.get("url"), wanted.url)
    yield from _differing("subscription.settings.method", settings.get("method", "POST"), "POST")
    data = settings.get("data", {"@path": "$."})
    yield from _differing("subscription.settings.data", data, {"@path": "$."})
    batching = bool(settings.get("enable_batching"))
    yield from _differing("subscription.settings.enable_batching", batching, wanted.batch_size > 0)
    if batching and wanted.batch_size:
        size = settings.get("batch_size")
        yield from _differing("subscription.settings.batch_size", size, wanted.batch_size)
    headers = settings.get("headers")
    names = {str(name).lower() for name in headers} if isinstance(headers, Mapping) else set()
    authorized = "set" if "authorization" in names else "missing"
    yield from _differing("subscription.settings.headers.Authorization", authorized, "set")


def _differing(where: str, found: Any, wanted: Any) -> Iterator[Drift]:
    if found != wanted:
        yield Drift(where, found, wanted)


def _settings(of: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = of.get("settings")
    return settings if isinstance(settings, Mapping) else {}
