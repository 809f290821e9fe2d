"""Calls of the APIs of vendors, with credentials that go to an encrypted address only."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from adapter.errors import Refused, Unavailable

_TIMEOUT = 30


class VendorResponse(Struct, frozen=True):
    """A response; `wait` is its Retry-After header, in seconds as a text."""

    status: int
    wait: str | None
    body: bytes


def api_address(api: str, option: str = "--api") -> SplitResult:
    """Return the parts of an API's address; raises Refused for one that a secret must not be sent to."""
    to = urlsplit(api)
    if to.scheme != "https" and to.hostname not in {"127.0.0.1", "localhost"}:
        raise Refused(f"the token goes to an https address only: write {option} https://...")
    return to


def call(
    vendor: str,
    to: SplitResult,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> VendorResponse:
    """Send a GET, or a POST where there is a body; raises Unavailable. `vendor` names the API in errors."""
    kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    connection = kind(to.hostname or "", to.port, timeout=_TIMEOUT)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, to.path.rstrip("/") + path, body=body, headers=dict(headers))
        response = connection.getresponse()
        return VendorResponse(response.status, response.getheader("Retry-After"), response.read())
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{vendor} cannot be reached: {error}") from None
    finally:
        connection.close()
