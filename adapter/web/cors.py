"""Calls from pages of listed origins: preflights, and the headers that let those pages read answers.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

import re

from starlette.types import Receive, Scope

from adapter.web.context import WebContext
from adapter.web.endpoints import Admit, Endpoint, Handle
from adapter.web.errors import Failure
from adapter.web.local_pages import Origins
from adapter.web.request_body import Headers
from adapter.web.responses import Answer

#: Headers that a preflight may ask for: SDKs send Authorization, Content-Type, and names of their own.
_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]{1,500}")
_VARY = (b"vary", b"Origin")
#: For how many seconds a browser remembers a preflight: two hours are the most that Chrome keeps to.
_REMEMBERED = b"7200"


class BrowserEndpoint(Endpoint):
    """An endpoint that answers preflights too, and names the page's origin in its answers if it is listed."""

    def __init__(
        self, name: str, context: WebContext, handle: Handle, *, admit: Admit, origins: Origins
    ) -> None:
        super().__init__(name, context, handle, admit=admit)
        self._origins = origins

    async def answer(self, headers: Headers, body: bytes) -> Answer:
        """Answer a POST that has arrived whole."""
        return self._readable(headers, await super().answer(headers, body))

    async def _respond(self, scope: Scope, receive: Receive) -> Answer:
        headers: Headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            return self._preflight(headers)
        return self._readable(headers, await super()._respond(scope, receive))

    def _preflight(self, headers: Headers) -> Answer:
        if headers.get(b"origin") not in self._origins:
            message = "the page's origin is not one of `segment.browser_origins`; list it there"
            return self._readable(headers, self._tell(Failure(403, "unauthorised", message)))
        asked = headers.get(b"access-control-request-headers", b"")
        allowed = (
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-max-age", _REMEMBERED),
            *([(b"access-control-allow-headers", asked)] if _NAMES.fullmatch(asked) else []),
        )
        return self._readable(headers, Answer(200, headers=allowed))

    def _readable(self, headers: Headers, answer: Answer) -> Answer:
        """Return an answer that a page of a listed origin may read; caches must tell origins apart."""
        origin = headers.get(b"origin")
        if origin is None or origin not in self._origins:
            return Answer(answer.status, answer.body, (*answer.headers, _VARY))
        shared = (
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"Retry-After"),
            _VARY,
        )
        return Answer(answer.status, answer.body, (*answer.headers, *shared))
