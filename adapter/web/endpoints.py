"""The hot path: endpoints as plain ASGI callables.

A Starlette route, request and response cost half of the throughput, so what CDPs send by the thousand does
not pass through them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from time import perf_counter

from starlette.types import Receive, Scope, Send

from adapter.errors import TooLarge, Unauthorised
from adapter.logs import RateLimitedWarning
from adapter.web.admission import LARGE
from adapter.web.context import WebContext
from adapter.web.errors import Failure, failure
from adapter.web.request_body import Disconnected, Headers, arrived, weight, whole
from adapter.web.responses import Answer, told

_log = logging.getLogger(__name__)
#: Errors whose sentence quotes nothing of what was sent.
_TELLING = (Unauthorised, TooLarge)
#: So many requests at most wait for being told to the metrics.
_MANY = 10_000

Handle = Callable[[bytes, Headers], Awaitable[Answer]]
Tell = Callable[[Failure], Answer]
Admit = Callable[[Headers], None]


def nobody_asked(_headers: Headers) -> None:
    """Admit everybody: the credential is in the body, or there is none."""


class Endpoint:
    """One path that takes POSTs: read the body, handle it, answer; any trouble is told by `tell`.

    `admit` sees the headers before the body is read, and raises Unauthorised.
    """

    def __init__(
        self,
        name: str,
        context: WebContext,
        handle: Handle,
        *,
        admit: Admit = nobody_asked,
        tell: Tell = told,
    ) -> None:
        self._name = name
        self._handle = handle
        self._admit = admit
        self._tell = tell
        self._limit = context.settings.server.max_body_bytes
        self._timeout = context.settings.server.body_timeout_seconds
        self._room = context.room
        self._refused = RateLimitedWarning(_log, "requests are refused", context.clock)
        self._requests = context.metrics.requests
        self._seconds = context.metrics.request_seconds.labels(name)
        self._answered: Counter[int] = Counter()
        self._spent: list[float] = []
        context.metrics.keep_up(self._catch_up)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = perf_counter()
        try:
            answer = await self._respond(scope, receive)
        except Disconnected:
            return
        await answer.send(send)
        self._measure(started, answer)

    async def answer(self, headers: Headers, body: bytes) -> Answer:
        """Answer a POST that has arrived whole."""
        started = perf_counter()
        try:
            self._admit(headers)
            answer = await self._handled(headers, body)
        except Exception as error:  # noqa: BLE001 - told and logged by `_failed`
            answer = self._failed(error)
        self._measure(started, answer)
        return answer

    async def _respond(self, scope: Scope, receive: Receive) -> Answer:
        """Return what a request that arrives is answered; raises Disconnected."""
        try:
            return await self._read_and_handle(scope, receive)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - told and logged by `_failed`
            return self._failed(error)

    async def _read_and_handle(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            message = (
                f"`{scope['path']}` takes POST only: the address is right, now let the source send to it"
            )
            return self._tell(Failure(405, "method_not_allowed", message))
        headers: Headers = dict(scope["headers"])
        self._admit(headers)
        body = await arrived(headers, receive, self._limit, self._timeout, self._room)
        return await self._handled(headers, body)

    async def _handled(self, headers: Headers, body: bytes) -> Answer:
        """Handle a body that has arrived; a large one when its turn has come."""
        size = weight(headers, body) if b"content-encoding" in headers else len(body)
        if size < LARGE:
            return await self._handle(whole(headers, body, self._limit), headers)
        async with self._room.turn(min(size, self._limit)):
            return await self._handle(whole(headers, body, self._limit), headers)

    def _failed(self, error: Exception) -> Answer:
        """Tell what went wrong; the log hears of refusals too, for their sender drops what it sent."""
        told = failure(error, unexpected=503)
        if told.status < 500:
            kind: dict[str, str | int] = {"endpoint": self._name, "status": told.status, "code": told.code}
            if isinstance(error, _TELLING):
                kind["reason"] = told.message
            self._refused.note(**kind)
        return self._tell(told)

    def _measure(self, started: float, answer: Answer) -> None:
        self._answered[answer.status] += 1
        self._spent.append(perf_counter() - started)
        if len(self._spent) >= _MANY:
            self._catch_up()

    def _catch_up(self) -> None:
        spent, self._spent = self._spent, []
        self._seconds.observe_all(spent)
        for status, count in self._answered.items():
            self._requests.labels(self._name, str(status)).inc(count)
        self._answered.clear()
