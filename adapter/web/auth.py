"""Credentials of callers, compared in constant time.

A door without a secret of its own stands open only while no door has one and only this machine reaches us,
and not for what a proxy on it passes on, nor for what a page of another site has a browser send.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from hmac import compare_digest

from adapter.errors import Unauthorised
from adapter.web.local_pages import Origins, refuse_foreign
from adapter.web.request_body import Headers

#: What proxies add to what they pass on.
_PASSED_ON = frozenset(
    (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")
)


def closed(setting: str) -> Unauthorised:
    """Return the error of a door for which no secret is set while others have one."""
    return Unauthorised(
        f"this door is shut because `{setting}` is empty; set {_variable(setting)} to open it"
    )


def enter(headers: Headers, setting: str, *, auth_disabled: bool, trusted: Origins = frozenset()) -> None:
    """Admit a caller without a credential, where no secret is set at all.

    Raises Unauthorised where other endpoints have a secret, where a proxy has forwarded the request, and
    where a browser may have sent it for a page whose origin is not `trusted`: any page can reach loopback.
    """
    if not auth_disabled:
        raise closed(setting)
    if not _PASSED_ON.isdisjoint(headers):
        name = min(_PASSED_ON.intersection(headers)).decode()
        raise Unauthorised(
            f"no secret is set, so only this machine is served, and a proxy passed this request on ({name}); "
            f"set {_variable(setting)} to open this door to others"
        )
    refuse_foreign(headers, trusted)


def _variable(setting: str) -> str:
    return "ADAPTER_" + setting.replace(".", "_").upper()


def said(headers: Headers, name: bytes) -> str | None:
    """Return a header without the blanks around it, which by HTTP are none of its value."""
    header = headers.get(name)
    return None if header is None else header.strip(b" \t").decode("latin-1")


def authorization(headers: Headers) -> str | None:
    """Return the Authorization header with one blank between its scheme and the rest, however many came."""
    header = said(headers, b"authorization")
    return None if header is None else spaced(header)


def spaced(value: str) -> str:
    """Return the value of an Authorization header with single blanks, and none around it."""
    return " ".join(value.split())


def basic(headers: Headers) -> str | None:
    """Return the decoded `user:password` of a Basic header, without one None; wrong base64 is wrong."""
    scheme, _, encoded = (authorization(headers) or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(encoded, validate=True).decode().strip()
    except (binascii.Error, ValueError):
        raise Unauthorised("the Authorization header is not valid Basic base64") from None


def bearer(headers: Headers) -> str | None:
    """Return the token of a Bearer header."""
    scheme, _, token = (authorization(headers) or "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def require(shown: str | None, accepted: Sequence[str], *, missing: str, wrong: str) -> None:
    """Raise Unauthorised unless what was shown is accepted; every accepted one is compared."""
    if not shown:
        raise Unauthorised(missing, missing=True)
    presented = shown.encode("utf-8", "surrogateescape")
    matches = [compare_digest(presented, one.encode()) for one in accepted]
    if not any(matches):
        raise Unauthorised(wrong)
