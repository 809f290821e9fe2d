"""A webhook endpoint that speaks Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0).

The body is the event as it is stored: `type`, `timestamp` and `data`, the discount. Only a 2xx is success.
Redirects are not followed. 410 means that the endpoint no longer takes deliveries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from adapter.destinations.base import HttpDestination, checked_url
from adapter.destinations.contract import Attempt
from adapter.destinations.signing import SigningSecret, signature_headers
from adapter.destinations.transport import HttpClient
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.settings.destinations.webhook import Webhook


class WebhookDestination(HttpDestination):
    """Posts the body of each delivery, signed, to one URL.

    Raises ValueError, one sentence, for settings that cannot work.
    """

    settings_type: ClassVar = Webhook

    def __init__(self, name: str, settings: Webhook, client: HttpClient) -> None:
        super().__init__(name, settings, client)
        if not settings.secrets:
            raise ValueError(f"destination `{name}` has no signing secret: nothing is sent unsigned")
        self._url = checked_url(settings.url, allow_http=settings.allow_private_addresses)
        self._secrets = [SigningSecret(secret) for secret in settings.secrets]

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send each once, within the timeout; errors of the network and of the receiver are returned."""
        return [await self._signed(delivery.id, delivery.body, now) for delivery in deliveries]

    async def test(self, now: datetime) -> Attempt:
        """Send a signed event of the type `adapter.test`, with empty data."""
        event = {"type": "adapter.test", "timestamp": now, "data": {}}
        return await self._signed(f"test_{int(now.timestamp() * 1e6)}", encode(event), now)

    async def _signed(self, id_: str, body: bytes, now: datetime) -> Attempt:
        headers = {"idempotency-key": id_, **signature_headers(self._secrets, id_, now, body)}
        return await self._post(self._url, body, now, headers=headers)
