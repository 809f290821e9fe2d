"""One call to Voucherify over HTTP, and its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from yarl import URL

from adapter import __version__
from adapter.destinations.transport import HttpClient
from adapter.model.encoding import encode

#: How many bytes of a reply are read: a voucher has about 4 KB.
REPLY_BYTES: Final = 256 * 1024
#: For how many seconds: a look-up needs its reply whole.
REPLY_SECONDS: Final = 5.0


class Reply(Struct, frozen=True):
    """The status, the headers and the beginning of the body of a reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def key(self) -> str:
        """The name of the error, as `duplicate_found`; empty where there is none."""
        key = self.document.get("key")
        return key if isinstance(key, str) else ""


class Api:
    """Calls one project of Voucherify: `url` without a path, and its keys."""

    def __init__(self, client: HttpClient, url: str, application_id: str, token: str) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": f"behaviour-discounts-adapter/{__version__}",
            "x-app-id": application_id,
            "x-app-token": token,
            "x-voucherify-api-version": "v2018-08-01",
        }

    async def call(
        self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None = None
    ) -> Reply:
        """Make one call; `path` is encoded already. Raises RequestFailed, CannotConnect among them."""
        answer = await self._client.request(
            method,
            URL(f"{self._url}{path}", encoded=True),
            body=b"" if body is None else encode(body),
            headers=self._headers,
            read_bytes=REPLY_BYTES,
            read_seconds=REPLY_SECONDS,
        )
        return Reply(answer.status, answer.headers, answer.body)
