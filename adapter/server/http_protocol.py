"""Uvicorn's connections, with a short way for the calls that CDPs send by the thousand.

A POST to a hot path that arrives whole, in one read, is answered without what ASGI needs for every other
request: a scope, and a cycle of receiving and sending with its event. That is half of what uvicorn costs.
Everything else goes uvicorn's own way, save that what one step of the server writes leaves together:
uvicorn writes the head of a response and its body apart, and both would go out at once, as two system calls,
two packets and two wake-ups of the sender.

We speak no other protocol, so an `Upgrade` is ignored (RFC 9110, 7.8): some clients ask for h2c with every
call over plain http. The parser stops where it takes the other protocol to begin, and uvicorn would lose the
body; here the head is read once more without that header, and the body after it.

Nor does uvicorn mind how long a head is, or how long it takes: both are bounded here, trailers too. What a
trailer says does not count. And where uvicorn closes at what is broken, or at the sender's end, we first
answer what came whole before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from resource import RLIMIT_NOFILE, getrlimit
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapter.errors import AdapterError, Unreadable
from adapter.server import header_limits
from adapter.server.expect_continue import expecting
from adapter.server.write_buffer import WriteBuffer
from adapter.web.endpoints import Endpoint
from adapter.web.errors import failure
from adapter.web.responses import Answer, told

#: Seconds after which we leave who owes us the rest of a head, or of a body that is answered already.
PATIENCE = 10
#: So many times of that nothing of an answer may leave: a slow reader takes megabytes at a time.
_UNREAD = 6
#: Connections at once: what the system lets us open, less a quarter for the store and for what we send.
MOST = getrlimit(RLIMIT_NOFILE)[0] * 3 // 4


class Connection(HttpToolsProtocol):
    """Speaks HTTP as uvicorn does; the application's `hot` endpoints by raw path are called the short way."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._hot: Mapping[bytes, Endpoint] = getattr(config.loaded_app, "hot", {})
        self.headers = []
        self._endpoint: Endpoint | None = None
        self._head: list[tuple[bytes, bytes]] = []
        self._named: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        #: The newest cycle, while the body that belongs to it is still to come.
        self._open: RequestResponseCycle | None = None
        #: Whether a head, or what may be trailers, is on its way; the bytes of the reads since its first one.
        self._in_head = False
        self._since = 0
        self._size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        self._gathering = WriteBuffer(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._gathering))
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self._owing: list[tuple[bytes, bytes]] | None = None
        self._unsent = self._unread = 0
        self._watch = self.loop.call_later(PATIENCE, self._look)
        if 0 <= MOST < len(self.connections):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self._watch.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Take what was read; a request that is not whole by now goes the long way."""
        self._unset_keepalive_if_required()
        self._size = len(data)
        if self._in_head:
            self._since += self._size
        try:
            self._parse(data)
            if self._in_head and self._since > header_limits.LONGEST:
                raise header_limits.too_long()
        except HttpParserError as error:
            self._refuse(error.__context__)
        except AdapterError as error:
            self._refuse(error)
        if self._endpoint is not None:
            self._go_the_long_way()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what came whole before the sender's end; returns whether an answer is still to come."""
        if self._answering() and (self._open is None or self.pipeline):
            self._refuse(Unreadable("the request is cut short"))
            return True
        self.transport.close()
        return False

    def _refuse(self, error: BaseException | None) -> None:
        """Tell what is wrong with a request, and close, once all that came before it is answered.

        Where an answer to the request itself has begun, and where the one before it says that the connection
        ends, nothing more is told.
        """
        self._endpoint, self._body = None, []
        if not isinstance(error, AdapterError):
            error = Unreadable("this is no HTTP request")
        refusal, broken = told(failure(error)), self._open
        if self.pipeline or (broken is None and self._answering()):
            self.cycle.keep_alive = False
            if broken is not None:
                self.pipeline[0] = (broken, cast("Any", _saying(refusal)))
        else:
            if broken is None or not broken.response_started:
                self.transport.write(_response(refusal, keep_alive=False))
            self.transport.close()
        self.parser, self._in_head = cast("HttpRequestParser", NullParser()), False

    def _look(self) -> None:
        """Leave who owed us the rest of the same request when we looked before, or who reads nothing.

        So nothing is noted when a request begins. Until its first byte, and between requests, a connection is
        idle; uvicorn closes it.
        """
        idle = self.timeout_keep_alive_task is not None
        owing = None if idle or self._answering() else self.headers
        if owing is not None and owing is self._owing:
            self.transport.close()
        unsent = self._gathering.unsent()
        self._unread = self._unread + 1 if unsent and unsent == self._unsent else 0
        if self._unread == _UNREAD:
            self._gathering.abort()
            return
        self._owing, self._unsent = owing, unsent
        self._watch = self.loop.call_later(PATIENCE, self._look)

    def _parse(self, data: bytes | memoryview) -> None:
        """Parse on after each head that asks for another protocol."""
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                data = memoryview(data)[upgrade.args[0] :]
                self._read_again()
            else:
                return

    def _read_again(self) -> None:
        """Read a head without its Upgrade; by a fresh parser, since the old one skips what follows."""
        parser, headers = self.parser, self.headers
        line = b"%b %b HTTP/%b\r\n" % (
            parser.get_method(), self.url, parser.get_http_version().encode()
        )  # fmt: skip
        kept = (b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade")
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"%b%b\r\n" % (line, b"".join(kept)))

    def on_message_begin(self) -> None:
        """Begin to collect a head."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._since = 0

    def on_headers_complete(self) -> None:
        """Hold the head of a call that may be answered the short way."""
        self._in_head = False
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Unreadable("this is no proxy; send the request itself")
            return
        self._take_head()
        endpoint = self._hot.get(self.url)
        if endpoint is not None and self._may_be_short():
            self._endpoint = endpoint
        else:
            self._tell_head()

    def _take_head(self) -> None:
        """Keep the head apart from trailers; raises where it is too long, or of two minds."""
        head, self.headers = self.headers, []
        if self._since or self._size > header_limits.LONGEST:
            header_limits.bound(self.url, head)
        named = dict(head)
        if len(named) < len(head):
            header_limits.single(head)
        if b"transfer-encoding" in named:
            header_limits.chunked(head)
        self._head, self._named = head, named

    def on_chunk_header(self) -> None:
        """Expect trailers: they may stand behind any chunk, for all that the parser says."""
        self._in_head = True
        self._since = 0

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._in_head = False
        if self._endpoint is not None:
            self._body.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer a call that is whole."""
        self._in_head = False
        if self._endpoint is None:
            if not self.parser.should_upgrade():
                super().on_message_complete()
                self._open = None
        elif self._answering():
            self._go_the_long_way()
            super().on_message_complete()
            self._open = None
        else:
            self._answer(self._endpoint)

    def _answering(self) -> bool:
        """Say whether the call before this one waits for its answer still."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _may_be_short(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST" and not self.expect_100_continue and self.limit_concurrency is None
        )

    def _go_the_long_way(self) -> None:
        """Give uvicorn what was kept from it."""
        parts, self._body, self._endpoint = self._body, [], None
        if self.transport.is_closing():
            return
        self._tell_head()
        for part in parts:
            super().on_body(part)

    def _tell_head(self) -> None:
        url, trailers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += self._head
        app = self.app
        if expects:
            self.app = expecting(app)
        super().on_headers_complete()
        self.app, self.headers, self._open = app, trailers, self.cycle

    def _answer(self, endpoint: Endpoint) -> None:
        parts, self._body, self._endpoint = self._body, [], None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        exchange = FastRequest(keep_alive=keep_alive)
        self.cycle = cast("RequestResponseCycle", exchange)
        task = self.loop.create_task(self._serve(exchange, endpoint, self._named, body))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(
        self, exchange: FastRequest, endpoint: Endpoint, headers: dict[bytes, bytes], body: bytes
    ) -> None:
        answer = await endpoint.answer(headers, body)
        if self.flow.write_paused and not exchange.disconnected:
            await self.flow.drain()
        exchange.response_complete = True
        if exchange.disconnected:
            return
        self._gathering.write_now(_response(answer, keep_alive=exchange.keep_alive))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()


class FastRequest:
    """A call on the short way, as uvicorn's connections look at their present cycle."""

    #: Nobody waits for it.
    message_event = asyncio.Event()
    __slots__ = ("disconnected", "keep_alive", "response_complete")

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False


class NullParser:
    """Stands where the parser was, once nothing counts that comes."""

    def feed_data(self, data: bytes | memoryview) -> None:
        """Let it pass."""


def _saying(answer: Answer) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await answer.send(send)

    return app


def _response(answer: Answer, *, keep_alive: bool) -> bytes:
    headers = b"".join([b"%b: %b\r\n" % header for header in answer.head()])
    close = b"" if keep_alive else b"connection: close\r\n"
    return b"%b%b%b\r\n%b" % (STATUS_LINE[answer.status], headers, close, answer.body)
