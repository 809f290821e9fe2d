"""How many wrong tokens may be tried: by address, and in all, in all processes of a store together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hmac import digest as hmac_digest
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from adapter.console.context import ConsoleContext
from adapter.errors import TooManyAttempts, Unauthorised
from adapter.model.console import SignInLimits

WINDOW: Final = timedelta(minutes=5)
PER_ADDRESS: Final = 10
IN_ALL: Final = 200
#: Characters of an address that a proxy adds: IPv6 with a port.
_LONGEST: Final = 60


@asynccontextmanager
async def attempt(context: ConsoleContext, address: str) -> AsyncIterator[None]:
    """Try a token in this context; it counts where it ends with Unauthorised.

    While it is tried it counts too, so that many at once are no more. Raises TooManyAttempts where an
    address, or all together, have tried too often, and Unavailable.
    """
    now, store = context.now(), context.store
    hashed = hmac_digest(store.secret, address.encode(), "sha256")
    begun = await store.begin_sign_in(hashed, now, SignInLimits(now - WINDOW, PER_ADDRESS, IN_ALL))
    if begun.number is None:
        raise TooManyAttempts(max(1, round((begun.first + WINDOW - now).total_seconds())))
    try:
        yield
    except Unauthorised:
        raise
    except BaseException:
        await store.drop_sign_in(begun.number)
        raise
    await store.drop_sign_in(begun.number)


def address_of(request: Request) -> str:
    """Return the address of a visitor; behind a proxy on this machine or network, the one that it has added.

    Anybody else could give as many addresses as there are.
    """
    peer = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded[:_LONGEST] if forwarded and _is_near(peer) else peer


def _is_near(address: str) -> bool:
    try:
        return ip_address(address).is_private
    except ValueError:  # a socket of this machine has no address
        return True
