"""The HTTP client of destinations: checked addresses, bounded time, bounded answers.

No redirects, no cookies, and no proxies of the environment, because the guard would then check the proxy's
address.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
import certifi
from msgspec import Struct
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from yarl import URL

from adapter.destinations.guarded_connector import (
    ForbiddenAddress,
    NoName,
    RequestFailed,
    Resolver,
    guarded_connector,
    resolve,
)

__all__ = [
    "Answer",
    "CannotConnect",
    "ForbiddenAddress",
    "GuardedClient",
    "HttpClient",
    "RequestFailed",
    "guarded_client",
    "resolve",
]

#: Seconds for one attempt to connect, name and TLS included.
CONNECT_TIME: Final = 5.0
#: How many bytes of an answer's body are read, and for how many seconds, unless more is asked for.
READ_BYTES: Final = 16 * 1024
READ_TIME: Final = 1.0
#: For how many seconds connections are used before the name is looked up again: its addresses change. After a
#: 5xx it is earlier (segment-docs, http-api: "refresh the IP address"; otherwise at least every 24 hours).
CONNECTION_AGE: Final = 300.0
FAILED_AGE: Final = 30.0
#: How often one request tries to connect.
CONNECTS: Final = 3


#: The method, URL, body and headers of a request.
_Sent = tuple[str, URL, bytes, Mapping[str, str] | None]


class Answer(Struct, frozen=True):
    """The answer to a request: `headers` in any case, and the `body` as far as it was read.

    `whole` says that the body was read to its end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class HttpClient(Protocol):
    """What a destination sends through."""

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - each type has its own
        read_bytes: int = READ_BYTES,
        read_seconds: float = READ_TIME,
    ) -> Answer:
        """Send one request and return its answer; raises RequestFailed, ForbiddenAddress among them.

        It takes no longer than `timeout`, the client's own without it. A body longer or slower than the
        limits is abandoned, and the answer says what was read.
        """
        ...


class CannotConnect(RequestFailed):
    """No connection was opened, so nothing was sent."""


class _Connections:
    """A pool of connections: when it was opened, and how many requests use it; an `old` one gets no more."""

    def __init__(self, session: aiohttp.ClientSession, at: float) -> None:
        self.session = session
        self.at = at
        self.requests = 0
        self.old = False

    async def close_if_unused(self) -> None:
        """Close an old pool once nothing uses it."""
        if self.old and not self.requests:
            await self.session.close()


class GuardedClient:
    """The client of one destination: `guarded_client` builds it, and `async with` opens and closes it."""

    def __init__(
        self,
        *,
        allow_private: bool,
        allow_http: bool,
        connections: int,
        timeout: timedelta,
        verify: ssl.SSLContext | None,
        resolver: Resolver,
        ages: tuple[float, float] = (CONNECTION_AGE, FAILED_AGE),
    ) -> None:
        self._allow_private = allow_private
        self._allow_http = allow_http
        self._connections = connections
        self._timeout = timeout
        self._verify = verify
        self._resolver = resolver
        self._age, self._failed_age = ages
        self._pool: _Connections | None = None

    async def __aenter__(self) -> Self:
        self._pool = self._opened()
        return self

    def _opened(self) -> _Connections:
        connector = guarded_connector(
            allow_private=self._allow_private,
            connections=self._connections,
            verify=self._verify or trusted(),
            resolver=self._resolver,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("user-agent", "accept-encoding"),
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=CONNECT_TIME),
            trust_env=False,
        )
        return _Connections(session, asyncio.get_running_loop().time())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            await self._pool.session.close()
            self._pool = None

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 - a part of the interface
        read_bytes: int = READ_BYTES,
        read_seconds: float = READ_TIME,
    ) -> Answer:
        """Send one request and return its answer; see `HttpClient`."""
        target = URL(url) if isinstance(url, str) else url
        if target.scheme != "https" and not self._allow_http:
            raise ForbiddenAddress("the destination's URL is not https")
        seconds = (timeout or self._timeout).total_seconds()
        pool = await self._usable()
        pool.requests += 1
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(pool, (method, target, body, headers), (read_bytes, read_seconds))
        except TimeoutError:
            raise RequestFailed(f"no answer within {seconds:g} s") from None
        finally:
            pool.requests -= 1
            await pool.close_if_unused()

    async def _usable(self) -> _Connections:
        """Return the pool, a new one where it is too old; raises RuntimeError where none is open."""
        pool = self._pool
        if pool is None:
            raise RuntimeError("the client is not open")
        if not pool.old and asyncio.get_running_loop().time() - pool.at < self._age:
            return pool
        pool.old = True
        self._pool = self._opened()
        await pool.close_if_unused()
        return self._pool

    async def _exchange(self, pool: _Connections, sent: _Sent, bounds: tuple[int, float]) -> Answer:
        try:
            response = await self._once(pool, *sent)
        except CannotConnect:
            response = await self._again(pool, *sent)
        try:
            read, whole = await _read(response, *bounds)
        finally:
            # Back to the pool where the body was read to its end, and closed otherwise.
            response.close()
        if response.status >= 500 and asyncio.get_running_loop().time() - pool.at >= self._failed_age:
            pool.old = True
        return Answer(response.status, response.headers, read, whole)

    async def _again(
        self, pool: _Connections, method: str, url: URL, body: bytes, headers: Mapping[str, str] | None
    ) -> aiohttp.ClientResponse:
        """Send after a connection could not be opened, and return the response with its headers."""
        async for connecting in AsyncRetrying(
            retry=retry_if_exception_type(CannotConnect),
            stop=stop_after_attempt(CONNECTS - 1),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            reraise=True,
        ):
            with connecting:
                return await self._once(pool, method, url, body, headers)
        raise AssertionError("the last attempt raises")

    async def _once(
        self, pool: _Connections, method: str, url: URL, body: bytes, headers: Mapping[str, str] | None
    ) -> aiohttp.ClientResponse:
        try:
            return await pool.session.request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            )
        except NoName as error:
            raise CannotConnect(str(error)) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise CannotConnect("cannot connect: no connection in time") from error
        except aiohttp.ClientConnectorError as error:
            raise CannotConnect(f"cannot connect: {_reason(error)}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RequestFailed(f"the connection broke: {_reason(error)}") from error


@cache
def trusted() -> ssl.SSLContext:
    """Return the context that trusts the authorities of `certifi`; all clients share it.

    Reading the authorities takes 12 ms and some memory.
    """
    return ssl.create_default_context(cafile=certifi.where())


async def _read(response: aiohttp.ClientResponse, most: int, seconds: float) -> tuple[bytes, bool]:
    """Read a body, but not beyond its bounds; return what was read, and whether that is all of it."""
    if response.content.is_eof():  # a short body came with its headers
        body = response.content.read_nowait()
        return body[:most], len(body) <= most
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while part := await response.content.readany():
                parts.append(part)
                size += len(part)
                if size > most:
                    return b"".join(parts)[:most], False
    except (TimeoutError, aiohttp.ClientError, OSError):
        # The status was received: how the body ends changes nothing.
        return b"".join(parts), False
    return b"".join(parts), True


def _reason(error: Exception) -> str:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return str(inner) or type(inner).__name__


def guarded_client(
    *,
    allow_private: bool = False,
    allow_http: bool = False,
    connections: int = 8,
    timeout: timedelta = timedelta(seconds=15),
    verify: ssl.SSLContext | None = None,
    resolver: Resolver = resolve,
    ages: tuple[float, float] = (CONNECTION_AGE, FAILED_AGE),
) -> GuardedClient:
    """Return a client for one destination: guarded addresses, no redirects, no cookies, no proxies.

    `verify` replaces the certificate authorities of `certifi`. `ages` are the seconds for which connections
    are used, and those after which a 5xx ends them.
    """
    return GuardedClient(
        allow_private=allow_private,
        allow_http=allow_http,
        connections=connections,
        timeout=timeout,
        verify=verify,
        resolver=resolver,
        ages=ages,
    )
