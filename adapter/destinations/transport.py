"""The guarded HTTP transport: every connection goes to an address that was checked just before.

A name is resolved here, all its addresses are checked, and the socket is opened to one of those
addresses, so a name that resolves differently the second time (DNS rebinding) has no effect. TLS still
verifies the name. Proxies of the environment are not used, because the guard would then check the proxy's
address.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import httpcore
import httpx

from adapter.destinations.addresses import refusal
from adapter.tasks import unheard

#: Turns a host name and a port into addresses, as texts.
Resolver = Callable[[str, int], Coroutine[Any, Any, list[str]]]

#: Seconds for one attempt to connect, name and TLS included.
CONNECT_TIME: Final = 5.0


class ForbiddenAddress(httpx.TransportError):
    """The destination has an address that is not allowed; the message names the reason."""


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver; addresses come in its order of preference."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets to checked addresses only."""

    def __init__(self, *, allow_private: bool, resolver: Resolver) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()
        self._lookups: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the pool's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers, all within `timeout` seconds."""
        failure: Exception = httpcore.ConnectError("the host's name has no address")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._checked(host, port)
                share = None if timeout is None else timeout / max(len(addresses), 1)
                for address in addresses:
                    try:
                        return await self._network.connect_tcp(
                            address, port, share, local_address, socket_options
                        )
                    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                        failure = error
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait, as the connection pool asks."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int) -> list[str]:
        addresses = await self._lookup(host, port)
        for address in addresses:
            reason = refusal(address, allow_private=self._allow_private)
            if reason is not None:
                raise ForbiddenAddress(f"the destination's host resolves to {address}, {reason}")
        return addresses

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
            raise httpcore.ConnectError("the host's name cannot be resolved") from error


class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport over a connection pool that connects through `CheckedBackend`."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        allow_http: bool = False,
        connections: int = 8,
        verify: ssl.SSLContext | None = None,
        resolver: Resolver = resolve,
    ) -> None:
        self._allow_http = allow_http
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(trust_env=False),
            max_connections=connections,
            keepalive_expiry=30,
            network_backend=CheckedBackend(allow_private=allow_private, resolver=resolver),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx.TransportError, ForbiddenAddress among them."""
        if request.url.scheme != "https" and not self._allow_http:
            raise ForbiddenAddress("the destination's URL is not https")
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = await self._pool.handle_async_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _as_httpx():
            await self._answer.aclose()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Raise httpcore's errors as the httpx errors of the same names."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error


def guarded_client(
    *,
    allow_private: bool = False,
    allow_http: bool = False,
    connections: int = 8,
    timeout: timedelta = timedelta(seconds=15),
    verify: ssl.SSLContext | None = None,
    resolver: Resolver = resolve,
) -> httpx.AsyncClient:
    """Return a client for one destination: guarded addresses, no redirects, no cookies, no proxies.

    One client a destination: httpx slows down when many requests share a pool, and connections are never
    shared between names. `verify` replaces the system's certificate authorities.
    """
    transport = GuardedTransport(
        allow_private=allow_private,
        allow_http=allow_http,
        connections=connections,
        verify=verify,
        resolver=resolver,
    )
    return httpx.AsyncClient(
        transport=transport,
        timeout=httpx.Timeout(timeout.total_seconds(), connect=CONNECT_TIME),
        follow_redirects=False,
        trust_env=False,
    )
