"""Responses of endpoints: a status, headers and a JSON body, sent as plain ASGI messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from starlette.types import Send

from adapter.model.encoding import encode
from adapter.services.ingest.result import Result
from adapter.web.errors import Failure

#: Segment's sender may crash on a longer body (contract of its Webhooks destination).
MAX_BYTES = 16_384
_JSON = (b"content-type", b"application/json")
#: More results never fit, so they are not encoded to find out.
_MAX_RESULTS = MAX_BYTES // len('{"message_id":"","outcome":"ignored"}')


class HttpResponse(Struct, frozen=True):
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        """Return all headers, including those of the body."""
        headers = [(b"content-length", b"%d" % len(self.body)), *self.headers]
        if self.body:
            headers.append(_JSON)
        return headers

    async def send(self, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.all_headers()})
        await send({"type": "http.response.body", "body": self.body})


def error_response(failure: Failure) -> HttpResponse:
    """Return the response for a failure: `{"error": {"code", "message"}}`."""
    body = encode({"error": {"code": failure.code, "message": failure.message}})
    return HttpResponse(failure.status, body, headers_of(failure))


def headers_of(failure: Failure) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that belong to the status of a failure."""
    if failure.retry_after is not None:
        return ((b"retry-after", b"%d" % failure.retry_after),)
    if failure.status == 401:
        return ((b"www-authenticate", b'Bearer realm="adapter", Basic realm="adapter"'),)
    return ((b"allow", b"POST"),) if failure.code == "method_not_allowed" else ()


def results_response(results: Sequence[Result]) -> HttpResponse:
    """Return the response with the result of each message, where all fit into 16 KB.

    Where they do not fit, it has `counts` by outcome, and the results with a discount, an error, a misfit or
    a quarantined message as far as they fit; `truncated` says whether some of these are missing.
    """
    if len(results) <= _MAX_RESULTS:
        body = encode({"results": results})
        if len(body) <= MAX_BYTES:
            return HttpResponse(200, body)
    return HttpResponse(200, _summary(results))


def _summary(results: Sequence[Result]) -> bytes:
    counts: dict[str, int] = {}
    notable: list[Result] = []
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
        if result.discounts or result.error or result.misfits or result.outcome == "quarantined":
            notable.append(result)
    summary: dict[str, Any] = {"results": [], "counts": counts, "truncated": False}
    bytes_left = MAX_BYTES - len(encode(summary))
    for result in notable:
        bytes_left -= len(encode(result)) + 1
        if bytes_left < 0:
            summary["truncated"] = True
            break
        summary["results"].append(result)
    return encode(summary)
