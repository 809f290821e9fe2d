"""Query strings, decoded as strictly as paths: invalid bytes are rejected, never replaced."""

from __future__ import annotations

from urllib.parse import parse_qsl

from adapter.errors import Unreadable


def require_exact(query: bytes) -> None:
    """Raise Unreadable where a parameter is not percent-encoded UTF-8, or is repeated."""
    try:
        names = [name for name, _ in parse_qsl(query.decode(), keep_blank_values=True, errors="strict")]
    except UnicodeDecodeError as error:
        # With its bytes replaced, a parameter could name another customer.
        raise Unreadable("the query is not percent-encoded UTF-8 text") from error
    if len(names) > len(set(names)):
        raise Unreadable("the query repeats a parameter; send each one once")
