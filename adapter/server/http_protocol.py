"""Uvicorn's HTTP protocol, with a fast path for the calls that CDPs send by the thousand.

A POST to a hot path that arrives in one read gets its response without what ASGI needs for other requests: a
scope, and a cycle of receiving and sending with its event. Those are half of uvicorn's cost. Uvicorn serves
all other requests. It writes the headers of a response and its body separately, so a buffer joins the writes
of one iteration of the event loop: otherwise they would be two system calls and two packets.

An `Upgrade` header is ignored (RFC 9110, 7.8), because no other protocol is supported: some clients ask for
h2c with each call over plain HTTP. The parser stops where the other protocol would begin, and uvicorn would
lose the body; here the headers are parsed again without that one, and then the body.

The size of the headers and the time that they take are limited, trailers included; uvicorn limits neither.
Trailers have no effect. Where uvicorn closes the connection, at a malformed request or at the client's end of
file, this protocol first responds to the complete requests before it. Where uvicorn closes a connection
because the server stops, this protocol first serves the request that a new connection brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapter.errors import AdapterError, Unreadable
from adapter.server import header_limits
from adapter.server.expect_continue import expect_continue
from adapter.server.write_buffer import WriteBuffer
from adapter.web.endpoints import Endpoint
from adapter.web.errors import failure
from adapter.web.responses import HttpResponse, error_response

#: Seconds after which a connection is closed whose request does not progress, or whose response has been
#: sent.
STALL_SECONDS = 10
#: Checks, STALL_SECONDS apart, in which a client may read nothing: a slow one reads megabytes at a time.
_MAX_UNREAD_CHECKS = 6
#: Seconds for which a server that stops waits for the first request of a new connection.
FIRST_REQUEST_SECONDS = 1.0
#: The maximum number of connections: three quarters of the file descriptors; the store and clients use
#: others.
MAX_CONNECTIONS = getrlimit(RLIMIT_NOFILE)[0] * 3 // 4


def _nothing() -> None:
    """Have nothing to end."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which calls the application's `hot` endpoints, by raw path, without ASGI."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._hot: Mapping[bytes, Endpoint] = getattr(config.loaded_app, "hot", {})
        self._drain: Callable[[], None] = getattr(config.loaded_app, "drain", _nothing)
        self.headers = []
        self._endpoint: Endpoint | None = None
        self._head: list[tuple[bytes, bytes]] = []
        self._by_name: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        #: The newest cycle, while its body is incomplete.
        self._unfinished: RequestResponseCycle | None = None
        #: Whether headers, or possible trailers, are incomplete; the bytes of the reads since their first
        #: one.
        self._in_head = False
        self._head_size = 0
        self._read_size = 0
        #: Whether the connection is closed after the next response, because the server stops.
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to serve a connection."""
        self._write_buffer = WriteBuffer(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._write_buffer))
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self._stalled_request: list[tuple[bytes, bytes]] | None = None
        self._unsent = self._unread = 0
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._check_stalled)
        if 0 <= MAX_CONNECTIONS < len(self.connections):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a connection."""
        self._stall_timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def shutdown(self) -> None:
        """Close the connection where it is idle, else after the response to the request that it brings.

        A client that has just connected is about to send its request, and could not know that it is lost.
        Responses without an end by themselves are ended.
        """
        self._drain()
        if self._is_responding():
            super().shutdown()
        elif self._is_idle() and self.cycle is not None:
            self.transport.close()
        else:
            self._is_last = True
            self.loop.call_later(FIRST_REQUEST_SECONDS, self._close_idle)

    def _close_idle(self) -> None:
        if self._is_idle():
            self.transport.close()

    def _is_idle(self) -> bool:
        """Return whether no byte of the next request has arrived, and no response is pending."""
        return self.timeout_keep_alive_task is not None

    def data_received(self, data: bytes) -> None:
        """Parse bytes; a request that is incomplete after them is served through ASGI."""
        self._unset_keepalive_if_required()
        self._read_size = len(data)
        if self._in_head:
            self._head_size += self._read_size
        try:
            self._parse(data)
            if self._in_head and self._head_size > header_limits.MAX_BYTES:
                raise header_limits.too_long()
        except HttpParserError as error:
            self._reject(error.__context__)
        except AdapterError as error:
            self._reject(error)
        if self._endpoint is not None:
            self._fall_back_to_asgi()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Respond to the complete requests before the end of file; returns whether a response is pending."""
        if self._is_responding() and (self._unfinished is None or self.pipeline):
            self._reject(Unreadable("the request is incomplete"))
            return True
        self.transport.close()
        return False

    def _reject(self, error: BaseException | None) -> None:
        """Send an error response and close the connection, after the responses to earlier requests.

        Nothing is sent where the response to this request has started, and where an earlier response closes
        the connection.
        """
        self._endpoint, self._body = None, []
        if not isinstance(error, AdapterError):
            error = Unreadable("this is not an HTTP request")
        rejection, broken = error_response(failure(error)), self._unfinished
        if self.pipeline or (broken is None and self._is_responding()):
            self.cycle.keep_alive = False
            if broken is not None:
                self.pipeline[0] = (broken, cast("Any", _sender_of(rejection)))
        else:
            if broken is None or not broken.response_started:
                self.transport.write(_response(rejection, keep_alive=False))
            self.transport.close()
        self.parser, self._in_head = cast("HttpRequestParser", NullParser()), False

    def _check_stalled(self) -> None:
        """Close a connection that has been stalled, in one request or response, since the check before.

        So a request costs nothing when it begins. Before the first byte, and between requests, a connection
        is idle, and uvicorn closes it.
        """
        incomplete = None if self._is_idle() or self._is_responding() else self.headers
        if incomplete is not None and incomplete is self._stalled_request:
            self.transport.close()
        unsent = self._write_buffer.unsent()
        self._unread = self._unread + 1 if unsent and unsent == self._unsent else 0
        if self._unread == _MAX_UNREAD_CHECKS:
            self._write_buffer.abort()
            return
        self._stalled_request, self._unsent = incomplete, unsent
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._check_stalled)

    def _parse(self, data: bytes | memoryview) -> None:
        """Parse bytes, and continue after headers that ask for another protocol."""
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
                self._parse_without_upgrade()
            else:
                return

    def _parse_without_upgrade(self) -> None:
        """Parse the headers again without Upgrade, with a new parser: the old one skips what follows."""
        parser, headers = self.parser, self.headers
        line = b"%b %b HTTP/%b\r\n" % (
            parser.get_method(), self.url, parser.get_http_version().encode()
        )  # fmt: skip
        kept = (b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade")
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"%b%b\r\n" % (line, b"".join(kept)))

    def on_message_begin(self) -> None:
        """Start to collect headers."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._head_size = 0

    def on_headers_complete(self) -> None:
        """Store the headers of a call to a hot path; pass others to uvicorn."""
        self._in_head = False
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Unreadable("this server is not a proxy; send the request itself")
            return
        self._store_headers()
        endpoint = self._hot.get(self.url)
        if endpoint is not None and self._is_fast():
            self._endpoint = endpoint
        else:
            self._dispatch_headers()

    def _store_headers(self) -> None:
        """Store the headers separately from trailers; raises where they are too long or conflict."""
        head, self.headers = self.headers, []
        if self._head_size or self._read_size > header_limits.MAX_BYTES:
            header_limits.require_size(self.url, head)
        named = dict(head)
        if len(named) < len(head):
            header_limits.require_single(head)
        if b"transfer-encoding" in named:
            header_limits.require_chunked(head)
        self._head, self._by_name = head, named

    def on_chunk_header(self) -> None:
        """Expect trailers: they may follow any chunk; the parser does not report which."""
        self._in_head = True
        self._head_size = 0

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._in_head = False
        if self._endpoint is not None:
            self._body.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Respond to a complete request."""
        self._in_head = False
        if self._endpoint is None:
            if not self.parser.should_upgrade():
                super().on_message_complete()
                self._unfinished = None
        elif self._is_responding():
            self._fall_back_to_asgi()
            super().on_message_complete()
            self._unfinished = None
        else:
            self._respond(self._endpoint)

    def _is_responding(self) -> bool:
        """Return whether the response to the request before is not complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _is_fast(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST" and not self.expect_100_continue and self.limit_concurrency is None
        )

    def _fall_back_to_asgi(self) -> None:
        """Pass the stored headers and body to uvicorn."""
        parts, self._body, self._endpoint = self._body, [], None
        if self.transport.is_closing():
            return
        self._dispatch_headers()
        for part in parts:
            super().on_body(part)

    def _dispatch_headers(self) -> None:
        url, trailers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += self._head
        app = self.app
        if expects:
            self.app = expect_continue(app)
        super().on_headers_complete()
        self.app, self.headers, self._unfinished = app, trailers, self.cycle
        if self._is_last:
            self.cycle.keep_alive = False

    def _respond(self, endpoint: Endpoint) -> None:
        parts, self._body, self._endpoint = self._body, [], None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parser = self.parser
        keep_alive = not self._is_last and parser.get_http_version() != "1.0" and parser.should_keep_alive()
        request = FastRequest(keep_alive=keep_alive)
        self.cycle = cast("RequestResponseCycle", request)
        task = self.loop.create_task(self._serve(request, endpoint, self._by_name, body))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(
        self, request: FastRequest, endpoint: Endpoint, headers: dict[bytes, bytes], body: bytes
    ) -> None:
        response = await endpoint.respond(headers, body)
        if self.flow.write_paused and not request.disconnected:
            await self.flow.drain()
        request.response_complete = True
        if request.disconnected:
            return
        self._write_buffer.write_now(_response(response, keep_alive=request.keep_alive))
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()


class FastRequest:
    """A request on the fast path, with the attributes that uvicorn's protocol reads of its current cycle."""

    #: Uvicorn sets it; no task waits for it.
    message_event = asyncio.Event()
    __slots__ = ("disconnected", "keep_alive", "response_complete")

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False


class NullParser:
    """Replaces the parser when all further bytes are ignored."""

    def feed_data(self, data: bytes | memoryview) -> None:
        """Ignore bytes."""


def _sender_of(response: HttpResponse) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await response.send(send)

    return app


def _response(response: HttpResponse, *, keep_alive: bool) -> bytes:
    headers = b"".join([b"%b: %b\r\n" % header for header in response.all_headers()])
    close = b"" if keep_alive else b"connection: close\r\n"
    return b"%b%b%b\r\n%b" % (STATUS_LINE[response.status], headers, close, response.body)
