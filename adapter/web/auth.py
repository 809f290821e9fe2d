"""Credentials of callers, compared in constant time.

An endpoint without a secret of its own is open only while no endpoint has one and the server listens on
loopback. Requests that a proxy has forwarded or that a page of another site has caused are then rejected.
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from adapter.errors import Unauthorised
from adapter.sources.headers import Headers, authorization
from adapter.web.local_pages import Origins, reject_foreign_pages

#: Headers that proxies add to the requests that they forward.
_FORWARDED = frozenset(
    (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip")
)


def disabled(setting: str) -> Unauthorised:
    """Return the error of an endpoint without a secret while others have one."""
    return Unauthorised(f"this endpoint is disabled because `{setting}` is not set; set {_variable(setting)}")


def admit_local(
    headers: Headers, setting: str, *, auth_disabled: bool, trusted: Origins = frozenset()
) -> None:
    """Admit a caller without a credential, where no secret is set at all.

    Raises Unauthorised where other endpoints have a secret, where a proxy has forwarded the request, and
    where a browser may have sent it for a page whose origin is not `trusted`: any page can reach loopback.
    """
    if not auth_disabled:
        raise disabled(setting)
    if not _FORWARDED.isdisjoint(headers):
        name = min(_FORWARDED.intersection(headers)).decode()
        raise Unauthorised(
            f"no secret is set, so only this machine may call, and a proxy forwarded this request ({name}); "
            f"set {_variable(setting)}"
        )
    reject_foreign_pages(headers, trusted)


def _variable(setting: str) -> str:
    return "ADAPTER_" + setting.replace(".", "_").upper()


def basic_credentials(headers: Headers) -> str | None:
    """Return the decoded `user:password` of a Basic header, or None; raises Unauthorised for bad base64."""
    scheme, _, encoded = (authorization(headers) or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return b64decode(encoded, validate=True).decode().strip()
    except (binascii.Error, ValueError):
        raise Unauthorised("the Authorization header is not valid Basic base64") from None


def bearer_token(headers: Headers) -> str | None:
    """Return the token of a Bearer header, or None."""
    scheme, _, token = (authorization(headers) or "").partition(" ")
    return token if scheme.lower() == "bearer" else None
