"""What a request's head may be: not too long, and of one mind about who sends it, and what."""

from __future__ import annotations

from collections.abc import Collection

from adapter.errors import HeadTooLarge, Unreadable

#: Bytes of an address and headers; senders and proxies keep to an eighth of it.
LONGEST = 65_536
#: Proxies and programs do not agree on which of two counts, so there must be one.
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
    """Return the error of a head that is longer than LONGEST."""
    return HeadTooLarge(f"the address and the headers are over {LONGEST} bytes; send less of them")


def bound(url: bytes, headers: Pairs) -> None:
    """Raise HeadTooLarge where address and headers are longer than LONGEST."""
    if len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > LONGEST:
        raise too_long()


def single(headers: Pairs) -> None:
    """Raise Unreadable where a header that says who asks, for what, or how to read it stands twice."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in SINGLE and name in seen:
            raise Unreadable(f"the header {name.decode()} stands there twice; send it once")
        seen.add(name)


def chunked(headers: Pairs) -> None:
    """Raise Unreadable where a body is coded for its transfer in any way but in chunks, once."""
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings not in ([], [b"chunked"]):
        raise Unreadable("the only Transfer-Encoding that is taken here is `chunked`, named once")
