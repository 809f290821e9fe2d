"""mParticle's Events API, so that its SDKs can point here.

https://docs.mparticle.com/developers/server/http/ (statuses and the shape of errors)
"""

from __future__ import annotations

from asyncio import to_thread

from adapter.model.encoding import encode
from adapter.sources.mparticle import batches
from adapter.web.auth import basic, enter, require
from adapter.web.context import WebContext
from adapter.web.endpoints import Endpoint
from adapter.web.errors import Failure
from adapter.web.request_body import Headers
from adapter.web.responses import Answer, headers_of

_ACCEPTED = Answer(202)
#: mParticle's word for each status.
CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    503: "SERVICE_UNAVAILABLE",
}


def endpoints(doors: WebContext) -> dict[str, Endpoint]:
    """Return the Events API's endpoints by path: one batch, and a list of batches."""
    endpoint = _endpoint(doors)
    return {"/v2/events": endpoint, "/v2/bulkevents": endpoint}


def _endpoint(doors: WebContext) -> Endpoint:
    api_keys, auth_disabled = doors.settings.mparticle.api_keys, doors.auth_disabled
    long, bounds = doors.long, doors.bounds

    def admit(headers: Headers) -> None:
        if api_keys:
            require(
                basic(headers),
                api_keys,
                missing="no credentials: send key and secret as Basic authorization",
                wrong="the key and secret are not among `mparticle.api_keys`",
            )
        else:
            enter(headers, "mparticle.api_keys", auth_disabled=auth_disabled)

    async def handle(body: bytes, _headers: Headers) -> Answer:
        now = doors.clock()
        if len(body) < long:
            await doors.ingest.receive(batches.decode(body, now), len(body))
        else:
            await doors.ingest.receive_parts(await to_thread(batches.parts, body, now, bounds))
        return _ACCEPTED

    return Endpoint("events_api", doors, handle, admit=admit, tell=told)


def told(failure: Failure) -> Answer:
    """Return a failure as mParticle's own servers tell it."""
    code = CODES.get(failure.status, failure.code.upper())
    body = encode({"errors": [{"code": code, "message": failure.message}]})
    return Answer(failure.status, body, headers_of(failure))
