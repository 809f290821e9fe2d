"""What all destinations over HTTP have in common; a type of destination is a subclass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar, Final

from msgspec import Raw
from yarl import URL

from adapter import __version__
from adapter.destinations.answers import judged
from adapter.destinations.contract import Attempt, BatchLimits
from adapter.destinations.transport import READ_BYTES, READ_TIME, Answer, HttpClient, RequestFailed
from adapter.model.deliveries import Delivery
from adapter.settings.destinations.base import DestinationSettings

USER_AGENT: Final = f"behaviour-discounts-adapter/{__version__}"

#: Returns what an answer means for each delivery of a request.
Judge = Callable[[Answer, datetime], Attempt]


class HttpDestination:
    """Sends JSON over HTTP, with the `headers` of its type.

    A request takes one delivery where `batch` says nothing else. `client` is opened and closed by its
    creator. A subclass has the `settings_type` of its settings, `send`, and what else of `contract` it does.
    """

    settings_type: ClassVar[type[DestinationSettings]]
    batch: BatchLimits = BatchLimits()

    def __init__(
        self,
        name: str,
        settings: DestinationSettings,
        client: HttpClient,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.type = settings.type
        self.timeout = timedelta(seconds=settings.timeout_seconds)
        self._client = client
        self._headers = {**(headers or {}), "content-type": "application/json", "user-agent": USER_AGENT}

    def render(self, delivery: Delivery) -> Raw | None:
        """Return None: the event is sent as it is stored."""
        del delivery
        return None

    async def _request(
        self,
        method: str,
        url: str | URL,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        read_bytes: int = READ_BYTES,
        read_seconds: float = READ_TIME,
    ) -> Answer:
        """Send one request with further headers and return its answer; raises RequestFailed."""
        return await self._client.request(
            method,
            url,
            body=body,
            headers=self._headers if headers is None else {**self._headers, **headers},
            timeout=self.timeout,
            read_bytes=read_bytes,
            read_seconds=read_seconds,
        )

    async def _post(
        self,
        url: str | URL,
        body: bytes,
        now: datetime,
        *,
        headers: Mapping[str, str] | None = None,
        judge: Judge = judged,
    ) -> Attempt:
        """Send one POST and return what its answer means; errors of the network are returned."""
        try:
            answer = await self._request("POST", url, body, headers=headers)
        except RequestFailed as error:
            return Attempt(ok=False, error=str(error))
        return judge(answer, now)


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
        raise ValueError("the URL holds a user or a password: remove them")
    return parsed
