"""The guarded way out: every connection goes to an address that was checked just before.

A name is resolved here, all its addresses are checked, and the socket is opened to one of those addresses, so
a name that resolves differently the second time (DNS rebinding) has no effect. The socket itself is created
by a factory that checks the address once more: what is written as an address, and so never resolved, passes
there too. TLS still verifies the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from adapter.settings.destinations.addresses import refusal
from adapter.tasks import unheard

#: Turns a host name and a port into addresses, as texts.
Resolver = Callable[[str, int], Coroutine[Any, Any, list[str]]]
#: How long an unused connection stays open, in seconds.
KEEPALIVE: Final = 30.0


class RequestFailed(Exception):
    """A request without an answer; the message is one sentence for the operator, without secrets."""


class ForbiddenAddress(RequestFailed):
    """The destination has an address that is not allowed; the message names the reason."""


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver; addresses come in its order of preference."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def guarded_connector(
    *, allow_private: bool, connections: int, verify: ssl.SSLContext, resolver: Resolver
) -> aiohttp.TCPConnector:
    """Return a pool of up to `connections` to checked addresses only; an event loop must run."""

    def checked_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        expect_allowed(str(address[0]), allow_private=allow_private)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        ssl=verify,
        limit=connections,
        keepalive_timeout=KEEPALIVE,
        use_dns_cache=False,
        resolver=CheckedResolver(resolver, allow_private=allow_private),
        socket_factory=checked_socket,
    )


def expect_allowed(address: str, *, allow_private: bool) -> None:
    """Raise ForbiddenAddress where nothing may be sent to an address."""
    reason = refusal(address, allow_private=allow_private)
    if reason is not None:
        raise ForbiddenAddress(f"the destination's host resolves to {address}, {reason}")


class CheckedResolver(AbstractResolver):
    """Resolves names to addresses that are all allowed; one refused address refuses the name."""

    def __init__(self, resolver: Resolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        self._lookups: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses; raises ForbiddenAddress, or RequestFailed without one."""
        del family
        addresses = await self._lookup(host, port)
        if not addresses:
            raise RequestFailed("cannot connect: the host's name has no address")
        for address in addresses:
            expect_allowed(address, allow_private=self._allow_private)
        return [_as_result(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Nothing is held open."""

    async def _lookup(self, host: str, port: int) -> list[str]:
        """Resolve; callers share one lookup, so that a dead name server blocks one thread, not all."""
        key = (host, port)
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = unheard(asyncio.create_task(self._resolver(host, port)))
            task.add_done_callback(lambda _: self._lookups.pop(key))
        try:
            return await asyncio.shield(task)
        except (OSError, UnicodeError) as error:
            raise NoName("cannot connect: the host's name cannot be resolved") from error


class NoName(RequestFailed):
    """The host's name cannot be resolved now."""


def _as_result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
