"""A webhook endpoint that speaks Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0).

The body is the event as it is stored: `type`, `timestamp` and `data`, the discount. Only a 2xx is success.
Redirects are not followed. 410 means that the endpoint wants no deliveries any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Raw
from yarl import URL

from adapter import __version__
from adapter.destinations.answers import judged
from adapter.destinations.contract import Attempt, BatchLimits, Configured
from adapter.destinations.signing import SigningSecret, signature_headers
from adapter.destinations.transport import HttpClient, RequestFailed, guarded_client
from adapter.model.deliveries import Delivery
from adapter.model.encoding import encode
from adapter.settings.destinations.webhook import Webhook

#: Its name in the settings.
TYPE: Final = "webhook"


class WebhookDestination:
    """Posts the body of each delivery, signed, to one URL.

    `client` comes from `transport.guarded_client`; its creator closes it. `headers` are sent as they are
    (an Authorization that the receiver requires). Raises ValueError, one sentence, for arguments that cannot
    work.
    """

    def __init__(
        self,
        name: str,
        url: str,
        secrets: Sequence[SigningSecret],
        client: HttpClient,
        *,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
        timeout: timedelta = timedelta(seconds=15),
    ) -> None:
        if not secrets:
            raise ValueError(f"destination `{name}` has no signing secret: nothing is sent unsigned")
        self._name = name
        self._url = checked_url(url, allow_http=allow_http)
        self._secrets = tuple(secrets)
        self._client = client
        self._headers = {
            **{name.lower(): value for name, value in (headers or {}).items()},
            "content-type": "application/json",
            "user-agent": f"behaviour-discounts-adapter/{__version__}",
        }
        self._timeout = timeout

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self._name

    @property
    def type(self) -> str:
        """`webhook`."""
        return TYPE

    @property
    def timeout(self) -> timedelta:
        """The longest that one attempt takes."""
        return self._timeout

    @property
    def batch(self) -> BatchLimits:
        """One delivery per request, as Standard Webhooks has it."""
        return BatchLimits()

    def render(self, delivery: Delivery) -> Raw | None:
        """Return None: the event is sent as it is stored."""
        del delivery
        return None

    async def send(self, deliveries: Sequence[Delivery], now: datetime) -> Sequence[Attempt]:
        """Send each once, within the timeout; errors of the network and of the receiver are returned."""
        return [await self._post(delivery.id, delivery.body, now) for delivery in deliveries]

    async def test(self, now: datetime) -> Attempt:
        """Send a signed event of the type `adapter.test`, with empty data."""
        event = {"type": "adapter.test", "timestamp": now, "data": {}}
        return await self._post(f"test_{int(now.timestamp() * 1e6)}", encode(event), now)

    async def _post(self, id_: str, body: bytes, now: datetime) -> Attempt:
        signed = signature_headers(self._secrets, id_, now, body)
        if signed is None:
            return Attempt(ok=False, error="every signing secret of the destination has expired")
        headers = {**self._headers, "idempotency-key": id_, **signed}
        try:
            answer = await self._client.request(
                "POST", self._url, body=body, headers=headers, timeout=self._timeout
            )
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        return judged(answer, now)


def build(name: str, settings: Webhook) -> Configured:
    """Return the destination that a section of the settings describes."""
    timeout = timedelta(seconds=settings.timeout_seconds)
    private = settings.allow_private_addresses
    client = guarded_client(
        allow_private=private, allow_http=private, timeout=timeout, connections=settings.concurrency
    )
    secrets = [SigningSecret(secret) for secret in settings.secrets]
    destination = WebhookDestination(name, settings.url, secrets, client, allow_http=private, timeout=timeout)
    return Configured(destination, client)


def checked_url(url: str, *, allow_http: bool = False) -> URL:
    """Parse the URL of a destination.

    Raises ValueError with a sentence that does not repeat the URL: its path may be a secret.
    """
    try:
        parsed = URL(url)
        parsed.port  # noqa: B018 - it is parsed when it is read
    except (ValueError, TypeError) as error:
        raise ValueError("the URL cannot be read: write https://host/path") from error
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("the URL needs a scheme and a host: write https://host/path")
    if parsed.scheme == "http" and not allow_http:
        raise ValueError("the URL is not https: write https://host/path, or allow http for this destination")
    if parsed.raw_user or parsed.raw_password:
        raise ValueError("the URL holds a user or password: send an Authorization header instead")
    return parsed
