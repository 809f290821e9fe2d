"""Check the URL of a webhook: the HTTP client can send to every URL that passes."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

import idna

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
#: A label that resolvers read as a number: as the last one, it makes the name an unusual IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_PUNYCODE = "xn--"
_LONGEST = 253
_WHOLE = "write it whole, as in `https://example.com/discounts`"


def url_problem(url: str) -> tuple[str, str] | None:
    """Return the problem of a URL, as the end of a sentence, and the remedy; None for a valid one.

    The URL is not repeated: its path may be a secret.
    """
    if not url.isprintable() or any(char.isspace() for char in url):
        return "contains a blank or a control character", "remove it, or write a blank as %20"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "has brackets without an IPv6 address, or a port that is not a number from 1 to 65535", _WHOLE
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not a web address", _WHOLE
    if port == 0:
        return "has a port that is not a number from 1 to 65535", _WHOLE
    if not _is_host(parts):
        return "has a host that is neither a name nor an IP address", _WHOLE
    return None


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        if "[" in parts.netloc:
            return IPv6Address(host).scope_id is None
        return _is_name(host if host.isascii() else idna.encode(host).decode())
    except (AddressValueError, idna.IDNAError):
        return False


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return bool(IPv4Address(host))
    for label in labels:
        if label.startswith(_PUNYCODE):
            idna.decode(label)
    return len(host) <= _LONGEST and all(_LABEL.fullmatch(label) for label in labels)
