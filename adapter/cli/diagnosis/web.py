"""Requests as senders make them: verified by Mozilla's certificates, and redirects are not followed."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import certifi
import msgspec
from msgspec import Struct

#: Segment's Actions destinations wait 10 seconds.
TIMEOUT = 10
#: More of a body is not read: metrics are the longest that is asked for.
_MOST = 16_000_000


class Answer(Struct, frozen=True):
    """What a request was answered: its status (0 without an answer, then `error` says why), in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    error: str = ""

    @property
    def value(self) -> dict[str, object]:
        """The JSON object that was answered, empty where it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def refusal(self) -> dict[str, object]:
        """The adapter's own error, empty where it made none: then something before it answered."""
        found = self.value.get("error")
        return found if isinstance(found, dict) else {}


class Caller(Struct, frozen=True):
    """Calls one server by its base URL; `clock` is monotonic, in seconds."""

    url: str
    clock: Callable[[], float] = time.monotonic

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Return the answer; a request that fails is one with status 0."""
        to, begun = urlsplit(self.url), self.clock()
        connection = _connection(self.url)
        try:
            connection.request(method, to.path.rstrip("/") + path, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read(_MOST), self.clock() - begun)
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, {}, b"", self.clock() - begun, str(error) or type(error).__name__)
        finally:
            connection.close()


def _connection(url: str) -> http.client.HTTPConnection:
    to = urlsplit(url)
    if to.scheme == "https":
        return http.client.HTTPSConnection(to.hostname or "", to.port, timeout=TIMEOUT, context=verifying())
    return http.client.HTTPConnection(to.hostname or "", to.port, timeout=TIMEOUT)


def verifying() -> ssl.SSLContext:
    """Return the context of a client that trusts what Node.js trusts, as Segment's senders do."""
    return ssl.create_default_context(cafile=certifi.where())
