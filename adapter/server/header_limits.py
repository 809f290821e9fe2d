"""Limits on the headers of a request: their size, and headers that must not be repeated."""

from __future__ import annotations

from collections.abc import Collection

from adapter.errors import HeadTooLarge, Unreadable

#: Bytes of the URL and the headers; senders and proxies use at most an eighth of it.
MAX_BYTES = 65_536
#: Headers that must not be repeated: proxies and programs disagree on which of two values counts.
SINGLE = frozenset(
    {
        b"authorization",
        b"x-signature",
        b"x-opendsr-signature",
        b"x-opendsr-processor-domain",
        b"idempotency-key",
        b"content-encoding",
    }
)

Pairs = Collection[tuple[bytes, bytes]]


def too_long() -> HeadTooLarge:
    """Return the error for a URL and headers that are longer than MAX_BYTES."""
    return HeadTooLarge(f"the URL and the headers are over {MAX_BYTES} bytes; send shorter ones")


def require_size(url: bytes, headers: Pairs) -> None:
    """Raise HeadTooLarge where the URL and the headers are longer than MAX_BYTES."""
    if len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > MAX_BYTES:
        raise too_long()


def require_single(headers: Pairs) -> None:
    """Raise Unreadable where one of the SINGLE headers is repeated."""
    found: set[bytes] = set()
    for name, _ in headers:
        if name in SINGLE and name in found:
            raise Unreadable(f"the header {name.decode()} is repeated; send it once")
        found.add(name)


def require_chunked(headers: Pairs) -> None:
    """Raise Unreadable where Transfer-Encoding is anything but `chunked`, once."""
    encodings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if encodings not in ([], [b"chunked"]):
        raise Unreadable("the only Transfer-Encoding that is supported is `chunked`, once")
