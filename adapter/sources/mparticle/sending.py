"""Requests as mParticle's outputs and SDKs send them: the Authorization header is the only proof.

mParticle's documentation of the webhook output ("Authorization Header") and of the Events API (`/v2/events`,
Basic with key and secret); mparticle-firehose-java-sdk for partner modules.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from adapter.model.sources import MPARTICLE
from adapter.settings.values import Settings
from adapter.sources.mparticle import firehose
from adapter.sources.sending import Request, Shape, joined


def basic(key_and_secret: str) -> str:
    """Return the Authorization header for `key:secret`."""
    return f"Basic {b64encode(key_and_secret.encode()).decode()}"


def _output(path: str) -> Callable[[Sequence[bytes], Settings], Request]:
    def pack(items: Sequence[bytes], settings: Settings) -> Request:
        headers = {"Content-Type": "application/json"}
        if settings.mparticle.authorizations:
            headers["Authorization"] = settings.mparticle.authorizations[0]
        return Request(path, headers, items[0], 1)

    return pack


def _events_api(items: Sequence[bytes], settings: Settings) -> Request:
    headers = {"Content-Type": "application/json"}
    if settings.mparticle.api_keys:
        headers["Authorization"] = basic(settings.mparticle.api_keys[0])
    if len(items) == 1:
        return Request("/v2/events", headers, items[0], 1)
    return Request("/v2/bulkevents", headers, joined(items), len(items))


def _is_request(item: Any) -> bool:
    return isinstance(item, dict) and firehose.is_request(item)


def _is_batch(item: Any) -> bool:
    return isinstance(item, dict) and not firehose.is_request(item)


SHAPES = (
    Shape("mparticle-webhook", MPARTICLE.name, "Webhook output", _output("/webhooks/mparticle"), _is_batch),
    Shape("mparticle-events", MPARTICLE.name, "Events API, as SDKs call it", _events_api, _is_batch, 100),
    Shape(
        "mparticle-firehose", MPARTICLE.name, "Firehose: audiences",
        _output("/webhooks/mparticle/firehose"), _is_request,
    ),
)  # fmt: skip
