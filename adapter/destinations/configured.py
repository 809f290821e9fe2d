"""The destinations that the settings name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

from msgspec import Struct

from adapter.destinations.contract import Destination
from adapter.destinations.signing import SigningSecret
from adapter.destinations.transport import guarded_client
from adapter.destinations.webhook import WebhookDestination
from adapter.settings.values import Destinations


class ConfiguredDestinations(Struct, frozen=True):
    """The destinations by name, the HTTP `clients` that they send through, and their slowest `timeout`."""

    by_name: dict[str, Destination]
    clients: tuple[AbstractAsyncContextManager[Any], ...]
    timeout: timedelta


def configured(settings: Destinations) -> ConfiguredDestinations:
    """Return the destinations; they can send once their clients are entered."""
    webhook = settings.webhook
    timeout = timedelta(seconds=webhook.timeout_seconds)
    if not webhook.url:
        return ConfiguredDestinations({}, (), timeout)
    allowed = webhook.allow_private_addresses
    client = guarded_client(allow_private=allowed, allow_http=allowed, timeout=timeout)
    signing = [SigningSecret(secret) for secret in webhook.secrets]
    destination = WebhookDestination(
        "webhook", webhook.url, signing, client, allow_http=allowed, timeout=timeout
    )
    return ConfiguredDestinations({"webhook": destination}, (client,), timeout)
