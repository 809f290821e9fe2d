"""One call to Voucherify over HTTP, and its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

import msgspec
from msgspec import Struct
from yarl import URL

from adapter.destinations.transport import Answer
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


class Request(Protocol):
    """Sends one request to the project, with its keys; raises RequestFailed."""

    async def __call__(
        self, method: str, url: URL, body: bytes = b"", *, read_bytes: int, read_seconds: float
    ) -> Answer:
        """Send it and return the answer."""
        ...


def keys(application_id: str, token: str) -> dict[str, str]:
    """Return the headers of every call to a project."""
    return {
        "accept": "application/json",
        "x-app-id": application_id,
        "x-app-token": token,
        "x-voucherify-api-version": "v2018-08-01",
    }


class Api:
    """Calls one project of Voucherify at `url`, which has no path."""

    def __init__(self, request: Request, url: str) -> None:
        self._request = request
        self._url = url.rstrip("/")

    async def call(
        self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None = None
    ) -> Reply:
        """Make one call; `path` is encoded already. Raises RequestFailed, CannotConnect among them."""
        answer = await self._request(
            method,
            URL(f"{self._url}{path}", encoded=True),
            b"" if body is None else encode(body),
            read_bytes=REPLY_BYTES,
            read_seconds=REPLY_SECONDS,
        )
        return Reply(answer.status, answer.headers, answer.body)
