"""Requests that web pages send from a browser on this machine, rejected while no secret is set.

Any page can make the browser send requests to 127.0.0.1. With a host name that resolves to it (DNS
rebinding), the page can also read the responses. Such requests have headers that curl and the SDKs do not
send.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from adapter.errors import Unauthorised
from adapter.sources.headers import Headers

#: Origins of pages, as browsers send them.
Origins = frozenset[bytes]
_NAMES = frozenset(("localhost", "ip6-localhost", "ip6-loopback"))
#: Values of Sec-Fetch-Site that pages of other sites cannot cause: for pages of this origin and typed
#: addresses.
_SAME_SITE = frozenset((b"same-origin", b"none"))
_REMEDY = "set a secret, such as ADAPTER_API_TOKENS, to accept requests from elsewhere"


def reject_foreign_pages(headers: Headers, trusted: Origins = frozenset()) -> None:
    """Raise Unauthorised where a page of another origin may have sent the request, unless it is `trusted`."""
    host = headers.get(b"host", b"localhost").strip().lower()
    if not _is_local(host):
        raise _rejected("Host", host, "is not a name of this machine")
    origin = headers.get(b"origin")
    if origin is not None:
        if origin in trusted:
            return
        if origin.lower().partition(b"://")[2] != host:
            raise _rejected("Origin", origin, "is another site")
    site = headers.get(b"sec-fetch-site")
    if site is not None and site.lower() not in _SAME_SITE:
        raise _rejected("Sec-Fetch-Site", site, "shows a page of another site")
    kind = headers.get(b"content-type", b"").strip().lower()
    if kind.startswith(b"text/plain"):
        raise _rejected("Content-Type", kind, "can be sent by any page; send application/json")


def _rejected(header: str, value: bytes, why: str) -> Unauthorised:
    shown = value.decode("latin-1")[:100]
    return Unauthorised(f"no secret is set, and {header} `{shown}` {why}; {_REMEDY}")


@lru_cache(64)
def _is_local(host: bytes) -> bool:
    """Return whether a Host header names the loopback interface."""
    text = host.decode("latin-1")
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0].rstrip(".")
    if name in _NAMES or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
