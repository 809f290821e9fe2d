"""The hot path: endpoints as plain ASGI callables.

A route, request and response of Starlette would cost half of the throughput, so the calls that CDPs send by
the thousand do not use them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter

from starlette.types import Receive, Scope, Send

from adapter.errors import TooLarge, Unauthorised
from adapter.logs import RateLimitedWarning
from adapter.sources.headers import Headers
from adapter.web.admission import LARGE
from adapter.web.context import WebContext
from adapter.web.errors import Failure, failure
from adapter.web.request_body import Disconnected, declared_size, decode_body, receive_body
from adapter.web.request_counts import RequestCounts
from adapter.web.responses import HttpResponse, error_response

_log = logging.getLogger(__name__)
#: Errors whose message quotes nothing of the request, so it may be logged.
_SAFE_MESSAGES = (Unauthorised, TooLarge)

Handle = Callable[[bytes, Headers], Awaitable[HttpResponse]]
RenderError = Callable[[Failure], HttpResponse]
Admit = Callable[[Headers], None]


def admit_all(_headers: Headers) -> None:
    """Admit all callers: the credential is in the body, or none is required."""


class Endpoint:
    """A path that accepts POST: it reads the body, calls `handle`, and sends the response.

    `admit` checks the headers before the body is read, and raises Unauthorised. `render_error` makes the
    response for an error.
    """

    def __init__(
        self,
        name: str,
        context: WebContext,
        handle: Handle,
        *,
        admit: Admit = admit_all,
        render_error: RenderError = error_response,
    ) -> None:
        self._name = name
        self._handle = handle
        self._admit = admit
        self._render_error = render_error
        self._limit = context.settings.server.max_body_bytes
        self._timeout = context.settings.server.body_timeout_seconds
        self._budget = context.body_budget
        self._refusals = RateLimitedWarning(_log, "requests are refused", context.clock)
        self._note = context.counts_of(name, partial(RequestCounts, name=name)).note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = perf_counter()
        try:
            response = await self._receive_and_respond(scope, receive)
        except Disconnected:
            return
        await response.send(send)
        self._note(perf_counter() - started, response.status)

    async def respond(self, headers: Headers, body: bytes) -> HttpResponse:
        """Return the response for a POST that has been received completely."""
        started = perf_counter()
        try:
            self._admit(headers)
            response = await self._handle_body(headers, body)
        except Exception as error:  # noqa: BLE001 - `_failure_response` logs it
            response = self._failure_response(error)
        self._note(perf_counter() - started, response.status)
        return response

    async def _receive_and_respond(self, scope: Scope, receive: Receive) -> HttpResponse:
        """Receive a request and return its response; raises Disconnected."""
        try:
            return await self._receive_and_handle(scope, receive)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - `_failure_response` logs it
            return self._failure_response(error)

    async def _receive_and_handle(self, scope: Scope, receive: Receive) -> HttpResponse:
        if scope["method"] != "POST":
            message = (
                f"`{scope['path']}` accepts only POST; the URL is correct, use it in the source's settings"
            )
            return self._render_error(Failure(405, "method_not_allowed", message))
        headers: Headers = dict(scope["headers"])
        self._admit(headers)
        body = await receive_body(headers, receive, self._limit, self._timeout, self._budget)
        return await self._handle_body(headers, body)

    async def _handle_body(self, headers: Headers, body: bytes) -> HttpResponse:
        """Decode and handle a received body; a large one waits until it is admitted."""
        size = declared_size(headers, body) if b"content-encoding" in headers else len(body)
        if size < LARGE:
            return await self._handle(decode_body(headers, body, self._limit), headers)
        async with self._budget.admit(min(size, self._limit)):
            return await self._handle(decode_body(headers, body, self._limit), headers)

    def _failure_response(self, error: Exception) -> HttpResponse:
        """Return the response for an error; log a refusal too, because the sender then drops its messages."""
        failed = failure(error, unexpected=503)
        if failed.status < 500:
            kind: dict[str, str | int] = {
                "endpoint": self._name,
                "status": failed.status,
                "code": failed.code,
            }
            if isinstance(error, _SAFE_MESSAGES):
                kind["reason"] = failed.message
            self._refusals.note(**kind)
        return self._render_error(failed)
