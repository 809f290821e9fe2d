"""Query strings, decoded as strictly as paths: what cannot be read exactly is refused, never replaced."""

from __future__ import annotations

from urllib.parse import parse_qsl

from adapter.errors import Unreadable


def require_exact(query: bytes) -> None:
    """Raise Unreadable where a parameter is not UTF-8 behind its percent signs, or stands twice."""
    try:
        names = [name for name, _ in parse_qsl(query.decode(), keep_blank_values=True, errors="strict")]
    except UnicodeDecodeError as error:
        # With its bytes replaced a parameter would name another customer.
        message = "the query is not UTF-8 text behind its percent signs; encode it so"
        raise Unreadable(message) from error
    if len(names) > len(set(names)):
        raise Unreadable("a parameter stands twice in the query; send each once")
