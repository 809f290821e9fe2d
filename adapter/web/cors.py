"""Requests from pages of listed origins: preflights, and the headers that let pages read responses.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

import re

from starlette.types import Receive, Scope

from adapter.sources.headers import Headers
from adapter.web.context import WebContext
from adapter.web.endpoints import Admit, Endpoint, Handle
from adapter.web.errors import Failure
from adapter.web.local_pages import Origins
from adapter.web.responses import HttpResponse

#: Headers that a preflight may request: SDKs send Authorization, Content-Type, and names of their own.
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]{1,500}")
_VARY = (b"vary", b"Origin")
#: Seconds that a browser may cache a preflight; Chrome caps it at two hours.
_MAX_AGE = b"7200"


class BrowserEndpoint(Endpoint):
    """An endpoint that also accepts preflights, and allows the listed origins to read its responses."""

    def __init__(
        self, name: str, context: WebContext, handle: Handle, *, admit: Admit, origins: Origins
    ) -> None:
        super().__init__(name, context, handle, admit=admit)
        self._origins = origins

    async def respond(self, headers: Headers, body: bytes) -> HttpResponse:
        """Return the response for a POST that has been received completely."""
        return self._with_cors_headers(headers, await super().respond(headers, body))

    async def _receive_and_respond(self, scope: Scope, receive: Receive) -> HttpResponse:
        headers: Headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            return self._preflight(headers)
        return self._with_cors_headers(headers, await super()._receive_and_respond(scope, receive))

    def _preflight(self, headers: Headers) -> HttpResponse:
        if headers.get(b"origin") not in self._origins:
            message = "the page's origin is not one of `segment.browser_origins`; list it there"
            return self._with_cors_headers(headers, self._render_error(Failure(403, "unauthorised", message)))
        requested = headers.get(b"access-control-request-headers", b"")
        allowed = (
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-max-age", _MAX_AGE),
            *([(b"access-control-allow-headers", requested)] if _NAMES.fullmatch(requested) else []),
        )
        return self._with_cors_headers(headers, HttpResponse(200, headers=allowed))

    def _with_cors_headers(self, headers: Headers, response: HttpResponse) -> HttpResponse:
        """Return the response with CORS headers; `Vary` makes caches keep the origins separate."""
        origin = headers.get(b"origin")
        if origin is None or origin not in self._origins:
            return HttpResponse(response.status, response.body, (*response.headers, _VARY))
        shared = (
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"Retry-After"),
            _VARY,
        )
        return HttpResponse(response.status, response.body, (*response.headers, *shared))
