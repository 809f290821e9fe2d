"""A webhook endpoint that speaks Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0).

The body is the event as it is stored: `type`, `timestamp` and `data`, the discount. Only a 2xx is success.
Redirects are not followed. 410 means that the endpoint wants no deliveries any more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
from msgspec import Raw
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from adapter import __version__
from adapter.destinations.contract import Attempt, Configured
from adapter.destinations.schedule import LONGEST
from adapter.destinations.signing import SigningSecret, signature_headers
from adapter.destinations.transport import ForbiddenAddress, guarded_client
from adapter.model.deliveries import Delivery
from adapter.settings.values import Webhook

#: Its name in the settings.
TYPE: Final = "webhook"
#: How many bytes of a response's body are read, and for how many seconds: only to reuse the connection.
READ_BYTES: Final = 16 * 1024
READ_TIME: Final = 1.0
#: How often one attempt tries to connect.
CONNECTS: Final = 3

_SECONDS = re.compile(r"[0-9]{1,9}")


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
        client: httpx.AsyncClient,
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
            **(headers or {}),
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

    def render(self, delivery: Delivery) -> Raw | None:
        """Return None: the event is sent as it is stored."""
        del delivery
        return None

    async def send(self, delivery: Delivery, now: datetime) -> Attempt:
        """Send once, within the timeout; errors of the network and of the receiver are returned."""
        body = delivery.body
        signed = signature_headers(self._secrets, delivery.id, now, body)
        if signed is None:
            return Attempt(ok=False, error="every signing secret of the destination has expired")
        headers = {**self._headers, "idempotency-key": delivery.id, **signed}
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                return await self._post(body, headers, now)
        except ForbiddenAddress as error:
            return Attempt(ok=False, error=str(error))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Attempt(ok=False, error=f"cannot connect: {str(error) or 'no connection in time'}")
        except (TimeoutError, httpx.TimeoutException):
            return Attempt(ok=False, error=f"no answer within {self.timeout.total_seconds():g} s")
        except (httpx.HTTPError, OSError) as error:
            return Attempt(ok=False, error=f"the connection broke: {str(error) or type(error).__name__}")

    async def _post(self, body: bytes, headers: dict[str, str], now: datetime) -> Attempt:
        request = self._client.build_request("POST", self._url, content=body, headers=headers)
        async for connecting in AsyncRetrying(
            retry=retry_if_exception_type((httpx.ConnectError, httpx.ConnectTimeout)),
            stop=stop_after_attempt(CONNECTS),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            reraise=True,
        ):
            with connecting:
                response = await self._client.send(request, stream=True)
        try:
            await _drain(response)
        finally:
            await response.aclose()
        return judged(response.status_code, response.headers, now)


def build(name: str, settings: Webhook) -> Configured:
    """Return the destination that a section of the settings describes."""
    timeout = timedelta(seconds=settings.timeout_seconds)
    private = settings.allow_private_addresses
    client = guarded_client(allow_private=private, allow_http=private, timeout=timeout)
    secrets = [SigningSecret(secret) for secret in settings.secrets]
    destination = WebhookDestination(name, settings.url, secrets, client, allow_http=private, timeout=timeout)
    return Configured(destination, client)


def judged(status: int, headers: Mapping[str, str], now: datetime) -> Attempt:
    """Return the result that a response means."""
    if 200 <= status < 300:
        return Attempt(ok=True)
    return Attempt(
        ok=False,
        retry_after=retry_after(headers.get("retry-after"), now),
        gone=status == 410,
        error=f"answered {status}",
    )


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or an HTTP date (RFC 9110 §10.2.3), cut at 24 hours.

    None where there is no header, or it is neither of the two.
    """
    if text is None:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), LONGEST)


def checked_url(url: str, *, allow_http: bool = False) -> httpx.URL:
    """Parse the URL of a destination.

    Raises ValueError with a sentence that does not repeat the URL: its path may be a secret.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise ValueError("the URL cannot be read: write https://host/path") from error
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("the URL needs a scheme and a host: write https://host/path")
    if parsed.scheme == "http" and not allow_http:
        raise ValueError("the URL is not https: write https://host/path, or allow http for this destination")
    if parsed.userinfo:
        raise ValueError("the URL holds a user or password: send an Authorization header instead")
    return parsed


async def _drain(response: httpx.Response) -> None:
    """Read a short body to its end, so that the connection can be reused; abandon a long or slow one."""
    size = 0
    try:
        async with asyncio.timeout(READ_TIME):
            async for part in response.aiter_raw():
                size += len(part)
                if size > READ_BYTES:
                    return
    except (TimeoutError, httpx.HTTPError):
        # The status was received: how the body ends changes nothing.
        return
