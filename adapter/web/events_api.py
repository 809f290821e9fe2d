"""mParticle's Events API, so that its SDKs can send to this server.

https://docs.mparticle.com/developers/server/http/ (statuses and the shape of errors)
"""

from __future__ import annotations

from asyncio import to_thread

from msgspec import Struct

from adapter.errors import Unreadable
from adapter.model.encoding import encode
from adapter.sources.headers import Headers, require_credential
from adapter.sources.mparticle import batches
from adapter.web.auth import admit_local, basic_credentials
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.errors import Failure
from adapter.web.responses import HttpResponse, headers_of
from adapter.web.route import ErrorDetail, IngestRoute, Route

_ACCEPTED = HttpResponse(202)
#: mParticle's code for each status.
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    503: "SERVICE_UNAVAILABLE",
}


class EventsApiErrors(Struct):
    """The body of an error response in the form of mParticle's Events API."""

    errors: list[ErrorDetail]


def _endpoint(context: WebContext, label: str) -> Endpoint:
    api_keys, auth_disabled = context.settings.mparticle.api_keys, context.auth_disabled
    threshold, bounds = context.slice_threshold, context.bounds

    def admit(headers: Headers) -> None:
        if api_keys:
            require_credential(
                basic_credentials(headers),
                api_keys,
                missing="no credentials: send key and secret as Basic authorization",
                wrong="the key and secret are not among `mparticle.api_keys`",
            )
        else:
            admit_local(headers, "mparticle.api_keys", auth_disabled=auth_disabled)

    async def handle(body: bytes, _headers: Headers) -> HttpResponse:
        now = context.clock()
        try:
            if len(body) < threshold:
                await context.ingest.receive(batches.decode(body, now), len(body))
            else:
                await context.ingest.receive_parts(await to_thread(batches.parts, body, now, bounds))
        except Unreadable as error:
            context.ingest.note_refused("mparticle", body, error, now)
            raise
        return _ACCEPTED

    return Endpoint(label, context, handle, admit=admit, render_error=error_response)


def error_response(failure: Failure) -> HttpResponse:
    """Return the response for a failure in the form of mParticle's own servers."""
    code = CODES.get(failure.status, failure.code.upper())
    body = encode({"errors": [{"code": code, "message": failure.message}]})
    return HttpResponse(failure.status, body, headers_of(failure))


ROUTES: tuple[Route, ...] = tuple(
    IngestRoute(
        path=f"/v2/{path}",
        label="events_api",
        make=_endpoint,
        operation_id=f"eventsApi_{path}",
        summary=f"mParticle's Events API: {content}",
        auth="key_and_secret",
        body={"type": json_type},
        responses={202: None},
        error=EventsApiErrors,
    )
    for path, content, json_type in (
        ("events", "one batch", "object"),
        ("bulkevents", "a list of batches", "array"),
    )
)
