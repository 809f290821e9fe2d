"""Headers and credentials of a request, as sources and the web read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest

from adapter.errors import Unauthorised

#: Headers by their names in lower case.
Headers = Mapping[bytes, bytes]


def header_value(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header, without the white space around it."""
    header = headers.get(name)
    return None if header is None else header.strip(b" \t").decode("latin-1")


def authorization(headers: Headers) -> str | None:
    """Return the Authorization header with one space between its scheme and the rest."""
    header = header_value(headers, b"authorization")
    return None if header is None else single_spaced(header)


def single_spaced(value: str) -> str:
    """Return the value of an Authorization header with single spaces, and none around it."""
    return " ".join(value.split())


def require_credential(given: str | None, accepted: Sequence[str], *, missing: str, wrong: str) -> None:
    """Raise Unauthorised unless the credential is one of `accepted`; all of them are compared."""
    if not given:
        raise Unauthorised(missing, missing=True)
    presented = given.encode("utf-8", "surrogateescape")
    matches = [compare_digest(presented, one.encode()) for one in accepted]
    if not any(matches):
        raise Unauthorised(wrong)
