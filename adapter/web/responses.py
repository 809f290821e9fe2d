"""What goes back: a status, headers and JSON bytes, sent as plain ASGI messages."""

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
#: More results than ever fit; a fast way out before they are encoded in vain.
_MANY = MAX_BYTES // len('{"message_id":"","outcome":"ignored"}')


class Answer(Struct, frozen=True):
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self) -> list[tuple[bytes, bytes]]:
        """Return all headers, those of the body among them."""
        headers = [(b"content-length", b"%d" % len(self.body)), *self.headers]
        if self.body:
            headers.append(_JSON)
        return headers

    async def send(self, send: Send) -> None:
        """Send it whole."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.head()})
        await send({"type": "http.response.body", "body": self.body})


def told(failure: Failure) -> Answer:
    """Return a failure in our own shape: `{"error": {"code", "message"}}`."""
    body = encode({"error": {"code": failure.code, "message": failure.message}})
    return Answer(failure.status, body, headers_of(failure))


def headers_of(failure: Failure) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that belong to a failure's status."""
    if failure.retry_after is not None:
        return ((b"retry-after", b"%d" % failure.retry_after),)
    if failure.status == 401:
        return ((b"www-authenticate", b'Bearer realm="adapter", Basic realm="adapter"'),)
    return ((b"allow", b"POST"),) if failure.code == "method_not_allowed" else ()


def settled(results: Sequence[Result]) -> Answer:
    """Return what became of each message: every result where they fit into 16 KB.

    Where they do not: `counts` by outcome, the results with a discount, an error, a misfit or a quarantine as
    far as they fit, and `truncated` when even those do not all fit.
    """
    if len(results) <= _MANY:
        body = encode({"results": results})
        if len(body) <= MAX_BYTES:
            return Answer(200, body)
    return Answer(200, _summary(results))


def _summary(results: Sequence[Result]) -> bytes:
    counts: dict[str, int] = {}
    telling: list[Result] = []
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
        if result.discounts or result.error or result.misfits or result.outcome == "quarantined":
            telling.append(result)
    summary: dict[str, Any] = {"results": [], "counts": counts, "truncated": False}
    room = MAX_BYTES - len(encode(summary))
    for result in telling:
        room -= len(encode(result)) + 1
        if room < 0:
            summary["truncated"] = True
            break
        summary["results"].append(result)
    return encode(summary)
