"""Web pages in a browser on this machine: what they may send while no secret is set.

Any page can have the browser send requests to 127.0.0.1, and by a name of its own that leads there (DNS
rebinding) read the answers. Headers of the request tell; curl and the SDKs send none of them.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from adapter.errors import Unauthorised
from adapter.web.request_body import Headers

#: Origins of pages, as browsers send them.
Origins = frozenset[bytes]
_NAMES = frozenset(("localhost", "ip6-localhost", "ip6-loopback"))
#: The values of Sec-Fetch-Site that no other site's page causes: our own pages, and an address typed by hand.
_OWN = frozenset((b"same-origin", b"none"))
_REMEDY = "set a secret, such as ADAPTER_API_TOKENS, to serve others than programs of this machine"


def refuse_foreign(headers: Headers, trusted: Origins = frozenset()) -> None:
    """Raise Unauthorised for what a page of another origin may have caused; pages of `trusted` ones may."""
    host = headers.get(b"host", b"localhost").strip().lower()
    if not _is_local(host):
        raise _refused("Host", host, "is no name of this machine")
    origin = headers.get(b"origin")
    if origin is not None:
        if origin in trusted:
            return
        if origin.lower().partition(b"://")[2] != host:
            raise _refused("Origin", origin, "is another site's page")
    site = headers.get(b"sec-fetch-site")
    if site is not None and site.lower() not in _OWN:
        raise _refused("Sec-Fetch-Site", site, "is said by another site's page")
    kind = headers.get(b"content-type", b"").strip().lower()
    if kind.startswith(b"text/plain"):
        raise _refused("Content-Type", kind, "is what forms of any page can send; send application/json")


def _refused(header: str, value: bytes, why: str) -> Unauthorised:
    shown = value.decode("latin-1")[:100]
    return Unauthorised(f"no secret is set, and {header} `{shown}` {why}; {_REMEDY}")


@lru_cache(64)
def _is_local(host: bytes) -> bool:
    """Say whether a Host header names this machine's loopback."""
    text = host.decode("latin-1")
    name = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0].rstrip(".")
    if name in _NAMES or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
