"""Sessions: a cookie with a random text, of which the store has the digest."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adapter.console.access.accounts import account_of, digest
from adapter.console.context import ConsoleContext
from adapter.console.visitor import Visitor
from adapter.errors import Unauthorised
from adapter.model.console import ConsoleSession
from adapter.web.auth import admit_local

COOKIE: Final = "adapter_console"
_PATH = "/console"


async def visitor_of(context: ConsoleContext, request: Request) -> Visitor | None:
    """Return the visitor of a request; None for one who has to sign in.

    While no secret is set, a caller on this machine is an administrator. Raises Unauthorised where the
    request came through a proxy then, or from a page of another site.
    """
    if context.web.auth_disabled:
        headers = dict(request.scope["headers"])
        admit_local(headers, "console.tokens", auth_disabled=True)
        return Visitor("this machine", "admin", _csrf(context.store.secret))
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    session = await context.store.session(sha256(cookie.encode()).digest(), context.now())
    account = account_of(session.token, context.settings) if session else None
    if session is None or account is None:
        return None
    return Visitor(session.name, account.role, _csrf(cookie.encode()), session.id)


async def still_visits(context: ConsoleContext, visitor: Visitor) -> bool:
    """Return whether a visitor who was let in would be let in now, with the same role; raises Unavailable."""
    if not visitor.session:
        return context.web.auth_disabled
    session = await context.patience.read(context.store.session(visitor.session, context.now()))
    account = account_of(session.token, context.settings) if session else None
    return account is not None and account.role == visitor.role


async def sign_in(context: ConsoleContext, token: str) -> tuple[str, Visitor]:
    """Exchange a token for a session; returns the cookie. Raises Unauthorised for a token that may not."""
    account = account_of(digest(token), context.settings)
    if account is None:
        raise Unauthorised(
            "this token may not sign in: use one that `adapter console token` made, or one of `api.tokens`, "
            "`api.operate_tokens` or `api.read_tokens`"
        )
    cookie, now = context.new_token(), context.now()
    ends = now + timedelta(hours=context.settings.console.session_hours)
    session = ConsoleSession(sha256(cookie.encode()).digest(), account.token, account.name, ends)
    await context.store.add_session(session, now)
    return cookie, Visitor(account.name, account.role, _csrf(cookie.encode()), session.id)


def set_cookie(context: ConsoleContext, request: Request, response: Response, cookie: str) -> None:
    """Send a session's cookie, over TLS alone where the request came over TLS."""
    response.set_cookie(
        COOKIE, cookie, path=_PATH, httponly=True, samesite="lax", secure=over_tls(request),
        max_age=context.settings.console.session_hours * 3600,
    )  # fmt: skip


def drop_cookie(response: Response) -> None:
    """Delete a session's cookie in the browser."""
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax")


def over_tls(request: Request) -> bool:
    """Return whether the browser speaks TLS, to this server or to the proxy before it."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    return request.url.scheme == "https" or forwarded.split(",")[-1].strip().lower() == "https"


def _csrf(secret: bytes) -> str:
    return hmac_digest(secret, b"forms of the console", "sha256").hex()
